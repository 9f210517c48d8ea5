"""The one request that is open, on disk: after a power cut the same is asked again, and its slip printed.

Whole or not there: written beside, synced, renamed, and the folder synced. For its owner alone: it holds a secret.
"""

import os
from pathlib import Path

import msgspec


class OpenRequest(msgspec.Struct, frozen=True):
    """`day`: the business day it was asked on (YYYY-MM-DD); the hub knows its `id` on that day only."""

    id: str
    lane: str
    secret: str
    day: str


class Spool:
    """Room for one request in `folder`, which is made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "request.json"

    def keep(self, request: OpenRequest) -> None:
        """Returns when it would outlive a power cut. Raises OSError."""
        beside = self._folder / "request.new"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(request))
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self._path)
        self._sync()

    def read(self) -> OpenRequest | None:
        """What was open; None also for a file that is no request of this release."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=OpenRequest)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def clear(self) -> None:
        """Raises OSError."""
        self._path.unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
