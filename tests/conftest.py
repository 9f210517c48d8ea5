"""What every story may ask for: stores, a database, an office, a browser. Nothing here decides a result.

What this machine lacks is skipped by name; `JUNBAN_REQUIRE_BROWSER=1` (as in `.ci/run`) turns each such skip into a
failure, for the older store as well. What no bare machine can be asked for is skipped by name even then.
"""

import itertools
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import settings

from config.embedded import EmbeddedValkey
from tests.mail_host import MailHost, mail_host_running
from tests.postgresql import PostgreSql, postgresql_running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# As root in a container there is no sandbox to be had; the rest keeps it from speaking to anybody but us.
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 90_000  # of a visitor: no page needs it, and a busy machine makes no story fail

# A busy machine is not a wrong rule: no example fails for having been slow.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

_numbers = itertools.count(1)


def lacking(what: str, package: str) -> NoReturn:
    """Skip loudly, or fail where nothing may be skipped."""
    reason = f"{what} is not installed (as root: apt-get install {package})"
    if _nothing_may_be_skipped():
        pytest.fail(reason)
    pytest.skip(reason)


def not_checked(what: str, remedy: str) -> NoReturn:
    """Skip loudly, also where nothing else may be skipped: what it takes is not to be had on every machine."""
    pytest.skip(f"!!! NOT CHECKED: {what} ({remedy})")


def find_browser() -> Path | None:
    return next((Path(found) for name in BROWSERS if (found := shutil.which(name))), None)


def find_redis7() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def find_smtpd() -> Path | None:
    """OpenSMTPD, which starts as root only."""
    found = shutil.which("smtpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") if os.geteuid() == 0 else None
    return Path(found) if found else None


def find_nginx() -> Path | None:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


def find_systemd_analyze() -> Path | None:
    found = shutil.which("systemd-analyze")
    return Path(found) if found else None


def find_postgresql() -> Path | None:
    """The folder of its programs; Debian keeps them beside the path, one folder a release."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the work, the files with the longest stories begin: none is left over at the end."""
    if hasattr(config, "workerinput"):
        given: defaultdict[Path, float] = defaultdict(float)
        for item in items:
            if mark := item.get_closest_marker("timeout"):
                given[item.path] = max(given[item.path], mark.args[0])
        items.sort(key=lambda item: -given[item.path])


def pytest_report_header() -> list[str]:
    found = {"chromium": find_browser(), "redis-server": find_redis7(), "opensmtpd": find_smtpd()}
    found |= {"postgresql": find_postgresql(), "nginx": find_nginx(), "systemd": find_systemd_analyze()}
    lacks = [name for name, path in found.items() if path is None]
    if not lacks:
        return []
    fate = "FAILS" if _nothing_may_be_skipped() else "is SKIPPED"
    return [f"!!! not installed: {', '.join(lacks)}; every test that needs one {fate}"]


def _nothing_may_be_skipped() -> bool:
    return os.environ.get("JUNBAN_REQUIRE_BROWSER") == "1"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def redis7_binary() -> Path:
    """The older server, as Debian ships it."""
    return find_redis7() or lacking("redis-server", "redis-server")


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One Valkey for all stories; each brings its own office (`office_name`) and leaves the others' keys alone."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def redis7_server(tmp_path_factory: pytest.TempPathFactory, redis7_binary: Path) -> Iterator[EmbeddedValkey]:
    """The same on the oldest server that we promise to run on."""
    with EmbeddedValkey(tmp_path_factory.mktemp("redis7"), binary=redis7_binary) as server:
        yield server


@pytest.fixture(scope="session")
def mail_host() -> Iterator[MailHost]:
    """One mail server of others for all stories; each writes to addresses of its own."""
    with mail_host_running(find_smtpd() or lacking("OpenSMTPD", "opensmtpd")) as host:
        yield host


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSql]:
    """One PostgreSQL for all stories; each brings its own office."""
    with postgresql_running(find_postgresql() or lacking("PostgreSQL", "postgresql")) as server:
        yield server


@pytest.fixture
def office_name() -> str:
    """An office that no other test, of this run or another, has keys of."""
    return f"office-{next(_numbers)}-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator["Browser"]:
    """One Chromium for all stories. pytest-playwright would break every async test after the first browser test."""
    path = find_browser() or lacking("Chromium", "chromium fonts-noto-cjk")
    from playwright.async_api import async_playwright  # not for those who only run the rules

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser: "Browser") -> AsyncIterator["Page"]:
    """A fresh visitor from Tokyo: no cookies, nothing remembered."""
    context = await browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo")
    context.set_default_timeout(PATIENCE_MS)
    yield await context.new_page()
    await context.close()
