"""The tables of the first release."""

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
    op.create_table(
        "journal",
        sa.Column("id", _Whole, primary_key=True, autoincrement=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", _Whole, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people",
        sa.Column("office", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("designated", sa.Text, nullable=False),
        sa.Column("trained", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("must_change", _Whole, nullable=False),
        sa.Column("wrong", _Whole, nullable=False),
        sa.Column("locked_until", _Whole, nullable=False),
        sa.Column("ended_at", _Whole, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_at", _Whole, nullable=False),
        sa.Column("seen_at", _Whole, nullable=False),
        sa.Index("sessions_of", "office", "name"),
        sqlite_strict=True,
    )
    op.create_table(
        "devices",
        sa.Column("office", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("next_token", sa.Text, nullable=False),
        sa.Column("turned_at", _Whole, nullable=False),
        sa.Column("made_at", _Whole, nullable=False),
        sa.Column("seen_at", _Whole, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("ended_at", _Whole, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "enrolments",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("until", _Whole, nullable=False),
        sa.UniqueConstraint("office", "code", name="enrolments_code"),
        sqlite_strict=True,
    )
