"""What a resident holds: a secret of 128 random bits, and the eight-character code printed beside its QR.

The taker (kiosk, browser) makes the secret and sends its SHA-256 only. The code follows from that digest, so the hub
can check it without ever knowing the secret; forty bits, with few tries allowed, do where nobody can scan. The code
that a new device shows follows from its token in the same way: a page that is loaded again shows the same.
"""

import base64
import hashlib
import unicodedata

SECRET_BYTES = 16
CODE_CHARACTERS = 8
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nothing that is misread on paper
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": "", "\u3000": ""})


def secret_text(secret: bytes) -> str:
    """The secret as it stands behind `#` in the QR: 22 characters of base64url."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest_of(secret: str) -> str:
    """What the hub is told: SHA-256 of the secret's text, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def code_of(digest: str) -> str:
    """The code of a ticket whose secret has this digest."""
    return _forty_bits(f"junban code {digest}")


def device_code_of(token: str) -> str:
    """The code that a device with this token shows until it is let in."""
    return _forty_bits(f"junban device {token}")


def link_code_of(text: str) -> str:
    """The code that is sent in a chat; `text` is what only its taker and the hub know."""
    return _forty_bits(f"junban link {text}")


def shown_code(code: str) -> str:
    """In two halves, as it is read out and typed: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}"


def read_number(typed: str) -> str:
    """A ticket's number as somebody typed it: either case, full width, blanks around."""
    return unicodedata.normalize("NFKC", typed).strip().upper()


def read_code(typed: str) -> str | None:
    """A code as somebody typed it: either case, full width, hyphens, I L O for 1 1 0. None where it is no code."""
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_MISREAD)
    sound = len(plain) == CODE_CHARACTERS and all(character in _CROCKFORD for character in plain)
    return plain if sound else None


def _forty_bits(text: str) -> str:
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:5], "big")
    return "".join(_CROCKFORD[bits >> shift & 31] for shift in range(35, -1, -5))
