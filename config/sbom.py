"""What this program is made of: a CycloneDX list of the locked packages, and which are not installed so."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Package → version; empty where the program was installed without its lock beside it."""
    try:
        return dict(_PINNED.findall(lock.read_text(encoding="utf-8")))
    except OSError:
        return {}


def differing(lock: Path = LOCK) -> list[str]:
    """Packages that are installed in another version than the locked one; what is not installed is not needed here."""
    found = []
    for name, wanted in locked(lock).items():
        try:
            present = version(name)
        except PackageNotFoundError:
            continue
        if present != wanted:
            found.append(f"{name} {present}（ロックは {wanted}）")
    return found


def bill_of_materials(lock: Path = LOCK) -> dict[str, Any]:
    """CycloneDX 1.5, the same for the same lock."""
    components = [
        {"type": "library", "name": name, "version": pinned, "purl": f"pkg:pypi/{name}@{pinned}"}
        for name, pinned in sorted(locked(lock).items())
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "junban", "version": version("junban")}},
        "components": components,
    }
