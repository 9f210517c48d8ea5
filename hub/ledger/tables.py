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

# What people and devices did, in the order in which it was done; written in one transaction with the doing. The
# archiver moves it into the chain. `id` is never given twice.
JOURNAL = sa.Table(
    "journal",
    METADATA,
    sa.Column("id", Whole, primary_key=True, autoincrement=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", Whole, nullable=False),  # real ms
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

# Designated handlers. A row is never deleted and its `name` never given again: it stands in the chain.
PEOPLE = sa.Table(
    "people",
    METADATA,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # what one signs in with
    sa.Column("shown", sa.Text, nullable=False),  # what stands in a report: the handler's own name
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("designated", sa.Text, nullable=False),  # YYYY-MM-DD; '' before: no access
    sa.Column("trained", sa.Text, nullable=False),  # likewise
    sa.Column("password", sa.Text, nullable=False),  # argon2
    sa.Column("must_change", Whole, nullable=False),  # 1: this password was given, not chosen
    sa.Column("wrong", Whole, nullable=False),  # tries since the last right one
    sa.Column("locked_until", Whole, nullable=False),  # real ms
    sa.Column("ended_at", Whole, nullable=False),  # real ms; 0: has access
    sqlite_strict=True,
)

# Who is signed in. Only hashes (SHA-256, hexadecimal) of what a browser holds.
SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_at", Whole, nullable=False),  # real ms
    sa.Column("seen_at", Whole, nullable=False),
    sa.Index("sessions_of", "office", "name"),
    sqlite_strict=True,
)

# Screens and machines that were let in. `id` is never given twice.
DEVICES = sa.Table(
    "devices",
    METADATA,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # role and six random characters: wall-3k9f2a
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),  # wall: its screen; desk: its counter; kiosk: its own key
    sa.Column("token", sa.Text, nullable=False, unique=True),  # SHA-256, hexadecimal
    sa.Column("next_token", sa.Text, nullable=False),  # '' or what replaces it as soon as it is used
    sa.Column("turned_at", Whole, nullable=False),  # real ms of the last change of token
    sa.Column("made_at", Whole, nullable=False),
    sa.Column("seen_at", Whole, nullable=False),
    sa.Column("version", sa.Text, nullable=False),  # of its program or page
    sa.Column("ended_at", Whole, nullable=False),  # 0: let in
    sqlite_strict=True,
)

# Devices that show a code and wait for somebody to type it.
ENROLMENTS = sa.Table(
    "enrolments",
    METADATA,
    sa.Column("token", sa.Text, primary_key=True),  # SHA-256, hexadecimal
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),  # SHA-256, hexadecimal
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),  # as the device says; whoever lets it in may choose another
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("until", Whole, nullable=False),  # real ms
    sa.UniqueConstraint("office", "code", name="enrolments_code"),
    sqlite_strict=True,
)
