"""The tables of the ledger. Only integers and texts, so that both databases keep the same."""

import sqlalchemy as sa

Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # 64 bits on both

METADATA = sa.MetaData()

# One row an office: where its chain ends. Who appends holds it locked.
CHAINS = sa.Table(
    "chains",
    METADATA,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("seq", Whole, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sqlite_strict=True,
)

# The chain. `position`: MS-SEQ of the fact in the stream of its day; an entry of the ledger's own has a name there.
# `fields` is canonical JSON.
OPERATIONS = sa.Table(
    "operations",
    METADATA,
    sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
    sa.Column("seq", Whole, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", Whole, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.UniqueConstraint("office", "day", "position", name="operations_once"),
    sqlite_strict=True,
)

# How far each day's stream is in the chain; written with the entries, in one transaction. `accounted`: facts of this
# stream that are in the chain or named by a gap; `removed`: how many of its entries were known to be gone.
STREAMS = sa.Table(
    "streams",
    METADATA,
    sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("accounted", Whole, nullable=False),
    sa.Column("removed", Whole, nullable=False),
    sa.Column("last_seq", Whole, nullable=True),  # of the day's last entry, once there can be no other
    sqlite_strict=True,
)

# Signed heads, one a day; they outlive the entries.
HEADS = sa.Table(
    "heads",
    METADATA,
    sa.Column("office", sa.Text, sa.ForeignKey("chains.office"), primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("seq", Whole, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("count", Whole, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sqlite_strict=True,
)
