"""The key host: one key pair for each day's contacts. The private halves lie wrapped in one folder and nowhere else.

Several processes share the folder: the keeper makes and destroys, workers open. A file `DATE.key` is the public half,
a nonce, and the private half under the master key (AES-256-GCM, bound to the date). Once the file is destroyed, what
was sealed under it cannot be opened any more, by nobody, also not from what this process remembers.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.store.sealing import KEY_ID_CHARACTERS, Contact, PublicKey, Unreadable, key_id_of, open_sealed

MASTER_BYTES = 32
HALF_BYTES = 32
NONCE_BYTES = 12
FILE_BYTES = HALF_BYTES + NONCE_BYTES + HALF_BYTES + 16  # public, nonce, private, tag

CANARY_CHARACTERS = 32

SUFFIX = ".key"
BEING_MADE = ".making"  # left by whoever was killed half-way
BEING_DESTROYED = ".destroying"
LOCK = ".lock"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class KeysUnusable(Exception):
    """One sentence for the operator; holds no key."""


@dataclass(frozen=True, slots=True)
class _Held:
    """An unwrapped private half and the file it came from."""

    path: Path
    stamp: tuple[int, int]
    private: X25519PrivateKey


class KeyHost:
    """The keys in `folder`, which is made if it is not there. Raises KeysUnusable where others could read it.

    Without `master` it makes and opens nothing, and destroys all the same.
    """

    def __init__(self, folder: Path, master: bytes | None) -> None:
        if master is not None and len(master) != MASTER_BYTES:
            raise KeysUnusable("JUNBAN_MASTER_KEY は 64 文字の 16 進数で書いてください。")
        self._folder = folder
        self._secret = master
        self._held: dict[str, _Held] = {}
        self._prepare()

    def ensure(self, date: str) -> PublicKey:
        """The public half for a date (YYYY-MM-DD), made if there is none. Raises KeysUnusable."""
        path = self._path(date)
        with self._locked():
            if not path.exists():
                self._write(path, date, X25519PrivateKey.generate())
            data = path.read_bytes()
        self._unwrap(path, data)
        return _public(data)

    def open(self, sealed: str, subscription: str) -> Contact:
        """Raises Unreadable: its key is gone, or it was not sealed for this; and KeysUnusable."""
        return open_sealed(sealed, self._private(key_id_of(sealed)), subscription)

    def destroy_before(self, date: str) -> dict[str, str]:
        """Destroy the keys of all earlier dates for good; gives date → id. Raises OSError where the medium fails."""
        self._path(date)  # a date, or ValueError
        destroyed: dict[str, str] = {}
        with self._locked():
            for path in sorted(self._folder.iterdir()):
                if path.suffix == SUFFIX and DATE.fullmatch(path.stem) and path.stem < date:
                    data = path.read_bytes()
                    destroyed[path.stem] = _public(data).id
                    # First out of everybody's sight: no one takes a half-overwritten file for a wrong master key.
                    path = path.rename(path.with_suffix(BEING_DESTROYED))
                    _sync_folder(self._folder)
                if path.suffix in (BEING_MADE, BEING_DESTROYED):
                    _destroy(path)
                    _sync_folder(self._folder)
        self.forget_gone()
        return destroyed

    def canary(self, date: str) -> str:
        """A name that nobody else can have: the contact of nobody that is kept on that date, to be looked for.

        Raises KeysUnusable.
        """
        self._path(date)
        return hmac.new(self._present(), f"canary {date}".encode(), "sha256").hexdigest()[:CANARY_CHARACTERS]

    def rotate(self, former: bytes) -> int:
        """Wrap anew what the `former` master key wraps; gives how many keys. The same again finds nothing to do.

        Raises KeysUnusable for a key that neither of the two opens: nothing of it has changed.
        """
        count = 0
        with self._locked():
            for path in sorted(self._folder.glob(f"*{SUFFIX}")):
                data = path.read_bytes()
                with contextlib.suppress(KeysUnusable):
                    self._unwrap(path, data)
                    continue
                private = self._unwrap(path, data, former)
                with path.open("r+b") as replaced:  # its blocks are overwritten once the new one is in its place
                    self._write(path, path.stem, private)
                    _overwrite(replaced)
                count += 1
        self._held = {}
        return count

    def forget_gone(self) -> None:
        """Drop from memory what has no file any more."""
        self._held = {key_id: held for key_id, held in self._held.items() if _stamp(held.path) == held.stamp}

    def _private(self, key_id: str) -> X25519PrivateKey:
        held = self._held.get(key_id)
        if held is not None and _stamp(held.path) == held.stamp:
            return held.private
        self._held.pop(key_id, None)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                stamp, data = _stamp(path), path.read_bytes()
            except FileNotFoundError:
                continue
            if stamp is None or _public(data).id != key_id:
                continue
            self._held[key_id] = _Held(path, stamp, self._unwrap(path, data))
            return self._held[key_id].private
        raise Unreadable

    def _present(self) -> bytes:
        if self._secret is None:
            raise KeysUnusable(
                "JUNBAN_MASTER_KEY がないため、連絡先を預かれません（番号の発行と呼び出しは続きます）。"
                "openssl rand -hex 32 で作った鍵を書いて、起動し直してください。"
            )
        return self._secret

    def _unwrap(self, path: Path, data: bytes, master: bytes | None = None) -> X25519PrivateKey:
        nonce, wrapped = data[HALF_BYTES : HALF_BYTES + NONCE_BYTES], data[HALF_BYTES + NONCE_BYTES :]
        try:
            opened = AESGCM(master or self._present()).decrypt(nonce, wrapped, path.stem.encode())
            private = X25519PrivateKey.from_private_bytes(opened)
        except (InvalidTag, ValueError):
            raise KeysUnusable(
                f"{path} を開けません。JUNBAN_MASTER_KEY が、このフォルダーを作ったときのものか確かめてください。"
            ) from None
        if private.public_key().public_bytes_raw() != data[:HALF_BYTES]:
            raise KeysUnusable(f"{path} の内容が壊れています。システムの担当者に連絡してください。")
        return private

    def _write(self, path: Path, date: str, private: X25519PrivateKey) -> None:
        """Whole or not at all, in the place of what may be there."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = AESGCM(self._present()).encrypt(nonce, private.private_bytes_raw(), date.encode())
        new = path.with_suffix(BEING_MADE)
        if new.exists():
            _destroy(new)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private.public_key().public_bytes_raw() + nonce + wrapped)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        _sync_folder(self._folder)

    def _path(self, date: str) -> Path:
        if not DATE.fullmatch(date):
            raise ValueError("not a date")
        return self._folder / f"{date}{SUFFIX}"

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            seen = self._folder.stat()
        except OSError as error:
            raise KeysUnusable(
                f"鍵のフォルダー {self._folder} を使えません（{error.strerror}）。JUNBAN_KEY_DIR を確かめてください。"
            ) from None
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o077:
            raise KeysUnusable(
                f"鍵のフォルダー {self._folder} をほかの利用者が読めます。持ち主をこのプログラムの利用者にし、"
                f"chmod 700 を実行してください。"
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _public(data: bytes) -> PublicKey:
    raw = data[:HALF_BYTES]
    return PublicKey(hashlib.sha256(raw).hexdigest()[:KEY_ID_CHARACTERS], raw)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Which file stands there; None: none. A key made anew after destruction is another file."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns


def _destroy(path: Path) -> None:
    """Overwrite, see it on the medium, unlink. What a medium keeps of old blocks is under the master key."""
    with path.open("r+b") as file:
        _overwrite(file)
    path.unlink()


def _overwrite(file: IO[bytes]) -> None:
    file.write(secrets.token_bytes(max(FILE_BYTES, os.fstat(file.fileno()).st_size)))
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
