"""Autobahn's fuzzing client against both engines: 247 cases of RFC 6455, without volume (9) and compression (12, 13).

Its programs are Python 2.7's, which most machines lack: `make needs` installs them where there is one, and without them
this is skipped, also where nothing else may be.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.serving import Engine
from tests.conftest import not_checked
from tests.edge.websocket.echo import echoing

pytestmark = pytest.mark.anyio

CASES = 247
PASSED = {"OK", "INFORMATIONAL", "NON-STRICT"}
SUITE = Path(sys.prefix) / "autobahn"
# As a folder of a site: the suite's libraries share name spaces that a path alone does not make.
RUN = f"import site; site.addsitedir({str(SUITE)!r}); from autobahntestsuite.wstest import run; run()"


def find_python2() -> str | None:
    """One that runs: pyenv puts a `python2.7` into the path that only says where another one is."""
    found = [shutil.which("python2.7"), *map(str, Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))]
    runs = (
        python for python in found if python and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    )
    return next(runs, None)


@pytest.fixture
def python2() -> str:
    found = find_python2()
    if found is None or not (SUITE / "autobahntestsuite").is_dir():
        not_checked("Autobahn's fuzzing client is not installed", "Python 2.7, then `make needs`")
    return found


@pytest.mark.timeout(900, method="thread")
async def test_every_case_is_passed(engine: Engine, python2: str, tmp_path: Path) -> None:
    async with echoing(engine) as port:
        spec = {
            "outdir": str(tmp_path / "report"),
            "servers": [{"agent": "us", "url": f"ws://127.0.0.1:{port}/echo"}],
            "cases": ["*"],
            "exclude-cases": ["9.*", "12.*", "13.*"],
            "exclude-agent-cases": {},
        }
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        running = await asyncio.create_subprocess_exec(
            python2, "-c", RUN, "-m", "fuzzingclient", "-s", str(tmp_path / "spec.json"),
            cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert await running.wait() == 0
        finally:
            if running.returncode is None:
                running.kill()
    cases = json.loads((tmp_path / "report" / "index.json").read_text())["us"]
    failed = {name: case for name, case in cases.items() if not {case["behavior"], case["behaviorClose"]} <= PASSED}
    assert failed == {}
    assert len(cases) == CASES
