"""Which e-mail addresses are taken: those that carriers really gave out, and nothing that says more than one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire.addresses import ADDRESS_CHARACTERS, read_address

TAKEN = {
    "taro@example.jp": "taro@example.jp",
    "taro..yamada@docomo.ne.jp": "taro..yamada@docomo.ne.jp",
    "taro.@ezweb.ne.jp": "taro.@ezweb.ne.jp",
    ".taro@softbank.ne.jp": ".taro@softbank.ne.jp",
    "ta--ro.-.@docomo.ne.jp": "ta--ro.-.@docomo.ne.jp",
    '"taro..y"@docomo.ne.jp': "taro..y@docomo.ne.jp",  # the quotes are the wire form
    "taro+q@example.jp": "taro+q@example.jp",
    "-taro@docomo.ne.jp": "-taro@docomo.ne.jp",
    "o'hara@example.jp": "o'hara@example.jp",
    "taro@example.jp ": "taro@example.jp",
    "\u3000 taro@example.jp\u3000": "taro@example.jp",  # a Japanese keyboard's space is a space
    "ｔａｒｏ＠example.jp": "taro@example.jp",
    "Taro@Example.JP": "Taro@Example.JP",  # a host may tell letters apart; we do not decide it
    "taro@xn--r8jz45g.jp": "taro@xn--r8jz45g.jp",
    "a" * 64 + "@example.jp": "a" * 64 + "@example.jp",
    "a@" + "b" * 63 + ".jp": "a@" + "b" * 63 + ".jp",
    "a@4.jp": "a@4.jp",
}

REFUSED = [
    "用户@例子.公司",
    "taro@例え.jp",
    "taro@example.jp\r\nBcc: x@evil.jp",
    "taro@example.jp\nRCPT TO:<x@evil.jp>",
    "taro@example.jp, x@evil.jp",
    "taro@example.jp\x00",
    "taro @example.jp",
    "<script>@example.jp",
    "a" * 65 + "@example.jp",
    "taro@[127.0.0.1]",
    "taro@localhost",
    "taro@example",
    "taro@exa_mple.jp",
    '"a b"@example.jp',
    "全角@example.jp",
    "",
    " ",
    "@",
    "taro",
    "@example.jp",
    '"@example.jp',
    '""@example.jp',
    "taro@",
    "taro@example.jp\n",
    "\ttaro@example.jp",
    "taro@example.jp\u2028",
    "taro@example.jp\u202e",
    "\u200etaro@example.jp",
    "taro\ud800@example.jp",
    "taro@@example.jp",
    "taro@x@example.jp",
    "taro@example..jp",
    "taro@.example.jp",
    "taro@example.jp.",
    "taro@-example.jp",
    "taro@example-.jp",
    "taro@127.0.0.1",  # not in the grammar's words, and yet no domain: it would be a machine of the office itself
    "taro@" + "b" * 64 + ".jp",
    "a@" + "b." * 126 + "jp",
    "Taro <taro@example.jp>",
    "taro@example.jp(comment)",
    "mailto:taro@example.jp?cc=x@evil.jp",
    "{{7*7}}@example",
    "x" * 10_000 + "@example.jp",
]


@pytest.mark.parametrize(("typed", "address"), TAKEN.items(), ids=map(ascii, TAKEN))
def test_an_address_is_taken_as_it_is_kept(typed: str, address: str) -> None:
    assert read_address(typed) == address


@pytest.mark.parametrize("typed", REFUSED, ids=[ascii(typed)[:40] for typed in REFUSED])
def test_what_is_no_address_is_none(typed: str) -> None:
    assert read_address(typed) is None


def test_the_longest_address_is_taken_and_one_letter_more_is_not() -> None:
    longest = "a@" + "b" * 60 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 60 + ".jp"
    assert len(longest) == ADDRESS_CHARACTERS
    assert read_address(longest) == longest
    assert read_address("a" + longest) is None


@given(st.text() | st.from_regex(r"[ -~]{1,20}@[ -~]{1,20}", fullmatch=True))
def test_whatever_is_typed_an_address_is_plain_and_stays_itself(typed: str) -> None:
    address = read_address(typed)
    if address is not None:
        assert address.isascii()
        assert address.isprintable()
        assert not set(address) & set(' ",;:<>()[]\\')
        assert address.count("@") == 1
        assert read_address(address) == address
