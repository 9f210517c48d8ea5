"""How the house reaches its ledger: one SQLite file, or PostgreSQL by URL. What the driver raises never gets out.

Everything here blocks; async callers use a thread. A SQLite transaction that writes takes its lock at the beginning,
so that of two writers the second waits and never fails half-way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

CONNECT_SECONDS = 5
# A server that is silent (its host lost power) is given up by then: the keeper has a turn every second.
OF_POSTGRESQL = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": 10_000, "options": "-c statement_timeout=30s"}
BUSY_MS = 10_000  # a verification reads beside the archiver; a writer waits for another writer only
WRITES = "ledger_writes"
MIGRATING = 0x4A554E42414E  # the number of PostgreSQL's lock under which tables are made


class LedgerUnusable(Exception):
    """One sentence for the operator; holds no value of any entry and no password."""


def sqlite_url(path: Path) -> str:
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def engine_of(url: str) -> sa.Engine:
    """Connects at the first use. Raises LedgerUnusable for a URL that is none or whose driver is missing."""
    try:
        made = sa.make_url(url)
        if made.get_backend_name() == "sqlite":
            engine = sa.create_engine(made, hide_parameters=True)
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
            return engine
        if made.get_backend_name() != "postgresql":
            raise LedgerUnusable("JUNBAN_LEDGER_URL は postgresql:// か sqlite:/// で始めてください。")
        made = made.set(drivername="postgresql+psycopg")  # whichever of its names was written
        return sa.create_engine(made, hide_parameters=True, pool_pre_ping=True, connect_args=OF_POSTGRESQL)
    except ModuleNotFoundError:
        raise LedgerUnusable(
            "PostgreSQL につなぐ部品がありません。pip install 'junban[postgresql]' で入れてください。"
        ) from None
    except sa.exc.SQLAlchemyError:
        raise LedgerUnusable("JUNBAN_LEDGER_URL の形が正しくありません。") from None


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool) -> Iterator[sa.Connection]:
    """All or nothing. Raises LedgerUnusable."""
    try:
        with engine.connect().execution_options(**{WRITES: writes}) as connection, connection.begin():
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise unusable(error) from None  # the cause may show what was to be written


def migrate(engine: sa.Engine) -> None:
    """Make the tables, or bring them to this release. Several processes may ask at once. Raises LedgerUnusable."""
    database = engine.url.database
    if engine.dialect.name == "sqlite" and database:
        try:
            Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            Path(database).touch(mode=0o600)
        except OSError as error:
            raise LedgerUnusable(
                f"台帳のファイル {database} を作れません（{error.strerror}）。JUNBAN_LEDGER_URL を確かめてください。"
            ) from None
    config = _config()
    with transaction(engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATING)))
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_there(engine: sa.Engine) -> bool:
    """Whether there is a database to be opened; a server is asked by the first use."""
    database = engine.url.database
    return engine.dialect.name != "sqlite" or bool(database and Path(database).exists())


def why_unusable(url: str) -> str | None:
    """What would keep the ledger from being used, as a sentence; leaves it as it is, and makes nothing."""
    try:
        engine = engine_of(url)
        database = engine.url.database
        if database and not is_there(engine):
            return _why_not_made(Path(database))
        try:
            with transaction(engine, writes=False) as connection:
                _refuse_newer(connection, _config())
        finally:
            engine.dispose()
    except LedgerUnusable as error:
        return str(error)
    return None


def _why_not_made(path: Path) -> str | None:
    """A file that is made at the first start: whether it can be."""
    folder = next(place for place in path.absolute().parents if place.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return None
    return f"台帳のファイル {path} を作れません。{folder} の持ち主と権限を確かめてください。"


def unusable(error: sa.exc.SQLAlchemyError) -> LedgerUnusable:
    kind = type(getattr(error, "orig", None) or error).__name__
    return LedgerUnusable(
        f"台帳を使えません（{kind}）。JUNBAN_LEDGER_URL のデータベースが動いているか、空きがあるか確かめてください。"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(connection: sa.Connection, config: Config) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in {
        one.revision for one in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise LedgerUnusable("台帳は新しいバージョンの junban が作りました。そのバージョンを入れてください。")


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver would begin transactions at moments of its own
    for setting in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
