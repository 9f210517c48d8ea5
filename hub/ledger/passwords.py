"""What a password must be, and how it is kept: argon2id, so that who has the database has none of them.

Takes some 20 ms of one core for each look, on purpose; nothing here waits or counts.
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.desk.refusals import PasswordWeak

LEAST, MOST = 12, 128
MOST_TYPED = 4 * MOST  # before it is normal: accents typed apart, or one sign that stands for eighteen letters
NAMED = 4  # a shorter name of an account stands in many words
DIFFERENT = 5  # characters at least: aaaaaaaaaaaa and 121212121212 are tried first
OBVIOUS = ("password", "パスワード", "qwertyui", "12345678", "abcdefgh", "junban", "kuyakusho")
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is misread on paper
_GROUPS, _GROUP = 4, 4  # 78 bits


def usual_hasher() -> PasswordHasher:
    """argon2id as OWASP's cheat sheet asks at least (19 MiB, two passes, one lane): one core, never both."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def one_time_password() -> str:
    """To be read out or copied once: ABCD-EFGH-JKMN-PQRS."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def normal(password: str) -> str:
    """The same keys on another keyboard are the same password (NFKC, as RFC 8265 has it)."""
    return unicodedata.normalize("NFKC", password)


def refuse_weak(password: str, name: str) -> None:
    """Raises PasswordWeak."""
    if len(password) > MOST_TYPED:
        raise PasswordWeak
    plain = normal(password)
    small = plain.lower()
    if not LEAST <= len(plain) <= MOST or len(set(plain)) < DIFFERENT or not _can_be_typed(plain):
        raise PasswordWeak
    if (len(name) >= NAMED and name in small) or any(word in small for word in OBVIOUS):
        raise PasswordWeak


class Passwords:
    """Makes and checks hashes. A name without an account costs the same time as one with it."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or usual_hasher()
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        return self._hasher.hash(normal(password))

    def is_right(self, kept: str | None, password: str) -> bool:
        """`kept`: the hash of an account, None where there is none."""
        plain = normal(password[: MOST_TYPED + 1])
        if len(password) > MOST_TYPED or len(plain) > MOST:
            return False  # nobody has one, and hashing a megabyte is work for nothing
        try:
            self._hasher.verify(kept or self._nobodys, plain.encode(errors="replace"))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


def _can_be_typed(plain: str) -> bool:
    """Any letter of any language, also two that are joined by a sign; no control character and no half of a letter."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in plain)
