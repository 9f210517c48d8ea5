"""A contact under lock opens for its own subscription with its own key, and its length tells nothing."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.store.sealing import SEALED_CHARACTERS, Contact, PublicKey, Unreadable, key_id_of, open_sealed, seal

PRIVATE = X25519PrivateKey.generate()
KEY = PublicKey("0123456789abcdef", PRIVATE.public_key().public_bytes_raw())
TARO = Contact("taro@example.jp", "s" * 22)


def test_what_was_sealed_opens() -> None:
    sealed = seal(TARO, KEY, "subscription")
    assert open_sealed(sealed, PRIVATE, "subscription") == TARO
    assert key_id_of(sealed) == KEY.id
    assert "taro" not in sealed


def test_it_opens_for_no_other_subscription_and_with_no_other_key() -> None:
    sealed = seal(TARO, KEY, "subscription")
    with pytest.raises(Unreadable):
        open_sealed(sealed, PRIVATE, "another")
    with pytest.raises(Unreadable):
        open_sealed(sealed, X25519PrivateKey.generate(), "subscription")


def test_two_seals_of_one_contact_differ_and_all_have_one_length() -> None:
    longest = Contact("a" * 64 + "@" + "b" * 186 + ".jp", "s" * 22)
    first, again, long = (seal(contact, KEY, "subscription") for contact in (TARO, TARO, longest))
    assert first != again
    assert len(first) == len(again) == len(long) == SEALED_CHARACTERS


@pytest.mark.parametrize("damaged", ["", ":", "0123456789abcdef:", "0123456789abcdef:%%%", "x" * 600])
def test_what_is_no_seal_says_so(damaged: str) -> None:
    with pytest.raises(Unreadable):
        open_sealed(damaged, PRIVATE, "subscription")


def test_no_trace_of_a_failure_holds_the_contact() -> None:
    with pytest.raises(ValueError, match="longer than any") as failed:
        seal(Contact("a" * 400, "s"), KEY, "subscription")
    assert "aaaa" not in str(failed.value)
    assert "taro" not in repr(TARO)
    with pytest.raises(Unreadable) as unreadable:
        open_sealed(seal(TARO, KEY, "subscription"), PRIVATE, "another")
    assert unreadable.value.__cause__ is None
