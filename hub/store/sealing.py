"""A contact under lock: whoever has the day's public key can seal one, and nobody but the key host's folk opens it.

HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM; the subscription's id is bound in as `info`, so a sealed
contact moved to another subscription does not open. All sealed texts have one length: the kind cannot be read from it.
"""

import base64
import binascii
from enum import StrEnum

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
PLAIN_BYTES = 352  # an address has at most 254, a stop token 22; the rest are names of fields
KEY_ID_CHARACTERS = 16
SEALED_BYTES = PLAIN_BYTES + 32 + 16  # the sender's own public key before it, a tag behind it
SEALED_CHARACTERS = KEY_ID_CHARACTERS + 1 + 4 * -(-SEALED_BYTES // 3)


class Unreadable(Exception):
    """No contact of ours, sealed for another subscription, or its key is gone. Says nothing of what is in it."""


class By(StrEnum):
    """How a telephone is reached."""

    SMS = "sms"
    VOICE = "voice"


class Language(StrEnum):
    """In which a short message is written, or a call is spoken; a mail has both."""

    JAPANESE = "ja"
    ENGLISH = "en"


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """`to`: address, LINE user id or telephone number; `stop`: the token behind "stop and erase" in a message."""

    to: str
    stop: str
    by: By = By.SMS
    language: Language = Language.JAPANESE

    def __repr__(self) -> str:
        return "Contact(…)"  # it must not get into a traceback or a log


class PublicKey(msgspec.Struct, frozen=True):
    """The public half of a day's key pair. `id`: sixteen hexadecimal characters, `raw`: its 32 bytes."""

    id: str
    raw: bytes


def seal(contact: Contact, key: PublicKey, subscription: str) -> str:
    """`KEYID:base64`. Raises ValueError for a contact that is longer than any can be."""
    plain = msgspec.json.encode(contact)
    if len(plain) > PLAIN_BYTES:
        raise ValueError("a contact longer than any can be")
    sealed = SUITE.encrypt(
        plain.ljust(PLAIN_BYTES), X25519PublicKey.from_public_bytes(key.raw), info=subscription.encode()
    )
    return f"{key.id}:{base64.b64encode(sealed).decode()}"


def key_id_of(sealed: str) -> str:
    """Under which key it was sealed. Raises Unreadable."""
    key_id, colon, _ = sealed.partition(":")
    if not colon or len(key_id) != KEY_ID_CHARACTERS:
        raise Unreadable
    return key_id


def open_sealed(sealed: str, private: X25519PrivateKey, subscription: str) -> Contact:
    """Raises Unreadable."""
    try:
        plain = SUITE.decrypt(base64.b64decode(sealed.partition(":")[2]), private, info=subscription.encode())
        return msgspec.json.decode(plain, type=Contact)
    except (InvalidTag, ValueError, binascii.Error, msgspec.DecodeError):
        raise Unreadable from None  # the cause could hold what was inside
