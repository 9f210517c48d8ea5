"""The secret of a ticket and the code on its slip."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire.codes import CODE_CHARACTERS, SECRET_BYTES, code_of, digest_of, read_code, read_number, secret_text


def test_a_secret_is_128_bits_in_22_characters() -> None:
    text = secret_text(secrets.token_bytes(SECRET_BYTES))
    assert len(text) == 22
    assert len(digest_of(text)) == 64


@given(st.binary(min_size=16, max_size=16))
def test_a_code_is_read_however_it_is_typed(secret: bytes) -> None:
    code = code_of(digest_of(secret_text(secret)))
    assert len(code) == CODE_CHARACTERS
    assert not set(code) & set("ILOU")
    for typed in (code, code.lower(), f" {code[:4]}-{code[4:]} ", code.replace("1", "l").replace("0", "o")):
        assert read_code(typed) == code


def test_a_code_follows_from_the_digest_alone_and_says_nothing_of_it() -> None:
    assert code_of("a" * 64) == code_of("a" * 64)
    assert code_of("a" * 64) != code_of("b" * 64)
    assert code_of(digest_of("known")) == "WYBQ4QR9"


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "1234567U", "１２３４５６７", "12345678\n9", "<script>"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_full_width_letters_are_read_too() -> None:
    assert read_code("ＷＹＢＱ４ＱＲ９") == "WYBQ4QR9"


def test_a_number_is_read_as_people_type_it() -> None:
    assert [read_number(typed) for typed in ("A105", " a105", "ａ１０５　")] == ["A105"] * 3
