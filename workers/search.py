"""Looks through files for what must not be there any more. It never says what it found, only where.

What it could not read it names: nobody may take that for looked through. Three things are looked for: sealed contacts
whose key is destroyed, names of contacts that are erased, and canaries in clear, which are contacts of nobody.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 20
OVERLAP = 256  # longer than any of the three
_SEALED = re.compile(rb"([0-9a-f]{16}):[A-Za-z0-9+/]{40}")
_NAME = re.compile(rb"contact:([A-Za-z0-9_-]{16,64})")
_CANARY = re.compile(rb"canary-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ids of destroyed keys, subscriptions that are erased, canaries (`workers.keys.KeyHost.canary`)."""

    keys: frozenset[str] = frozenset()
    subscriptions: frozenset[str] = frozenset()
    canaries: frozenset[str] = frozenset()


@dataclass(slots=True)
class Found:
    """How many files were read; which of them have something that is wanted; which files and folders, and places that
    are not there, could not be read.
    """

    files: int = 0
    hits: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


def search(places: Sequence[Path], wanted: Wanted) -> Found:
    """Every file of these places, folders or files; links in them are not followed. What vanishes meanwhile is gone."""
    found = Found(unread=blind(places))
    for path in _files([place for place in places if place not in found.unread], found.unread):
        try:
            is_hit = _has(path, wanted)
        except FileNotFoundError:
            continue
        except OSError:
            found.unread.append(path)
            continue
        found.files += 1
        if is_hit:
            found.hits.append(path)
    return found


def blind(places: Sequence[Path]) -> list[Path]:
    """Those of these places that are not there or cannot be read, their contents left aside."""
    return [place for place in places if not _opens(place)]


def _opens(place: Path) -> bool:
    try:
        if place.is_dir():
            os.scandir(place).close()
        else:
            place.open("rb").close()
    except OSError:
        return False
    return True


def _files(places: Sequence[Path], unread: list[Path]) -> Iterator[Path]:
    """Every file below; what cannot be read on the way is added to `unread`."""

    def missed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unread.append(Path(error.filename))

    for place in places:
        if os.path.isfile(place):
            yield place
            continue
        for folder, _, names in os.walk(place, onerror=missed):
            for name in names:
                path = Path(folder, name)
                try:
                    if stat.S_ISREG(path.lstat().st_mode):
                        yield path
                except OSError as error:
                    missed(error)


def _has(path: Path, wanted: Wanted) -> bool:
    kept = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = kept + chunk
            if _is_in(text, wanted):
                return True
            kept = text[-OVERLAP:]
    return False


def _is_in(text: bytes, wanted: Wanted) -> bool:
    for pattern, names in ((_SEALED, wanted.keys), (_NAME, wanted.subscriptions), (_CANARY, wanted.canaries)):
        if names and any(found[1].decode() in names for found in pattern.finditer(text)):
            return True
    return False
