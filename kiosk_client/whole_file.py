"""One small file of a ticket machine: whole or not there, also after a power cut, and for its owner alone.

What it holds is a secret; of what kind is unknown here.
"""

import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

_M = TypeVar("_M", bound=msgspec.Struct)


class WholeFile(Generic[_M]):
    """`name` in `folder`, which is made."""

    def __init__(self, folder: Path, name: str, kind: type[_M]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._path, self._kind = folder, folder / name, kind
        self._beside = folder / f".{name}.new"

    def read(self) -> _M | None:
        """What is kept; None also for a file that is none of this release."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, held: _M) -> None:
        """Written beside, synced, renamed, and the folder synced: returns when it would outlive a power cut.

        Raises OSError.
        """
        handle = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(held))
            file.flush()
            os.fsync(file.fileno())
        self._beside.rename(self._path)
        self._sync()

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
