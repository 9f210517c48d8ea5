"""The signed head of a day: so many entries, and the hash of the last. Who has it sees every later change before it.

A head is a file with its canonical JSON, and beside it 64 bytes of Ed25519 signature over exactly those bytes. The
private half comes in by the door; nothing here makes or keeps one.
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from hub.ledger.kept import canonical

KEY_FILE = "ledger-key.pem"
SUFFIX = ".head.json"
SIGNATURE = ".sig"  # head and signature have one name but for this


class WrongHead(Exception):
    """One sentence: what is no head, or was not signed with this key."""


class HeadDiffers(Exception):
    """A head of this day was signed and says something else: the ledger was made anew, or an old one put back."""


@dataclass(frozen=True, slots=True)
class Head:
    """`count`: entries of the day; `seq` and `hash`: of the last of them."""

    office: str
    day: str
    seq: int
    hash: str
    count: int

    def text(self) -> bytes:
        """What is signed."""
        return canonical(asdict(self)).encode()


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_head(folder: Path, head: Head, private: Ed25519PrivateKey) -> bytes:
    """Sign, and lay head, signature and public key into the folder; gives the signature. The same again is the same.

    The public half of a former key stays beside it under the name of its hash: it verifies the heads of its time.
    A day is signed once: whoever makes the chain anew is given no fresh signature. Raises HeadDiffers, OSError.
    """
    signature, pem = private.sign(head.text()), public_pem(private.public_key())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{head.office}-{head.day}{SUFFIX}"
    if (folder / name).exists() and (folder / name).read_bytes() != head.text():
        raise HeadDiffers
    if (folder / KEY_FILE).exists() and (former := (folder / KEY_FILE).read_bytes()) != pem:
        _write(folder / f"{Path(KEY_FILE).stem}-{hashlib.sha256(former).hexdigest()[:8]}.pem", former)
    _write(folder / KEY_FILE, pem)
    _write(folder / (name + SIGNATURE), signature)
    _write(folder / name, head.text())
    return signature


def read_head(path: Path, key: Ed25519PublicKey) -> Head:
    """A head whose signature is right. Raises WrongHead."""
    try:
        text = path.read_bytes()
        signature = path.with_name(path.name + SIGNATURE).read_bytes()
    except OSError as error:
        raise WrongHead(
            f"{error.filename} を読めません。先頭値のファイルと {SIGNATURE} を同じ所に置いてください。"
        ) from None
    try:
        key.verify(signature, text)
    except InvalidSignature:
        raise WrongHead(
            f"{path} の署名が正しくありません。公開鍵と、受け取ったときのファイルか確かめてください。"
        ) from None
    try:
        return Head(**json.loads(text))
    except (ValueError, TypeError):
        raise WrongHead(f"{path} は先頭値のファイルではありません。") from None


def read_key(path: Path) -> Ed25519PublicKey:
    """Raises WrongHead."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise WrongHead(f"{path} を公開鍵として読めません。--key で {KEY_FILE} を指定してください。")
    return key


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on the disk."""
    if path.exists() and path.read_bytes() == data:
        return
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # another archiver may write the same just now
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
