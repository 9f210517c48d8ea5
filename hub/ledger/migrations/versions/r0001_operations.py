"""Chains, operations, streams and heads."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chains",
        sa.Column("office", sa.Text, primary_key=True),
        sa.Column("seq", _Whole, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "operations",
        sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
        sa.Column("seq", _Whole, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", _Whole, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("office", "day", "position", name="operations_once"),
        sqlite_strict=True,
    )
    op.create_table(
        "streams",
        sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("accounted", _Whole, nullable=False),
        sa.Column("removed", _Whole, nullable=False),
        sa.Column("last_seq", _Whole, nullable=True),
        sqlite_strict=True,
    )
    op.create_table(
        "heads",
        sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("seq", _Whole, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("count", _Whole, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sqlite_strict=True,
    )
