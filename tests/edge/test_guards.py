"""Which page may open a socket here, case by case."""

import pytest

from hub.edge.guards import Guard, Origin

PUBLIC = Guard.for_pages(["https://junban.example.jp"])
INSIDE = Guard.for_pages(["https://staff.example.jp:8443/"], by_loopback_only=True)
HOST = "office.example.jp:8080"

ON_PUBLIC = [
    # what the browser says, whether it may come in
    ([], True),  # no browser page
    ([f"http://{HOST}"], True),
    (["http://OFFICE.example.jp:8080"], True),
    (["HTTP://office.example.jp:8080"], True),
    (["https://junban.example.jp"], True),
    (["https://junban.example.jp:443"], True),
    (["https://JUNBAN.example.jp"], True),
    (["http://junban.example.jp"], False),  # the page of nobody: ours is https
    (["https://junban.example.jp:8443"], False),
    (["https://evil.example.com"], False),
    (["null"], False),  # a sandboxed frame, a file
    ([""], False),
    ([" "], False),
    (["https://office.example.jp:8080"], False),  # other scheme
    (["http://office.example.jp"], False),  # other port
    (["http://office.example.jp:8081"], False),
    (["http://sub.office.example.jp:8080"], False),
    (["http://example.jp:8080"], False),
    (["http://office.example.jp.evil.com:8080"], False),
    (["http://evil-office.example.jp:8080"], False),
    (["http://office.example.jp:8080.evil.com"], False),
    (["http://office.example.jp:8080@evil.com"], False),
    (["http://evil.com#http://office.example.jp:8080"], False),
    (["http://office.example.jp:8080/"], False),  # an origin has no path
    (["http://office.example.jp:8080/path"], False),
    (["http://office.example.jp.:8080"], False),
    (["http://office.example.jp:"], False),
    (["http://office.example.jp:0"], False),
    (["http://office.example.jp:99999"], False),
    (["http://office.example.jp:٨٠"], False),
    (["ws://office.example.jp:8080"], False),
    (["file://"], False),
    (["chrome-extension://abcdefgh"], False),
    (["//office.example.jp:8080"], False),
    (["office.example.jp:8080"], False),
    (["http://[::1]:8080"], False),
    (["http://[::1"], False),
    (["http://ｏffice.example.jp:8080"], False),
    (["http://office.example.jp:8080\n"], False),
    (["http://office.example.jp:8080 http://evil.com"], False),
    (["http://office.example.jp:8080, http://evil.com"], False),
    ([f"http://{HOST}", f"http://{HOST}"], False),  # several
    ([f"http://{HOST}", "http://evil.com"], False),
    (["x" * 100_000], False),
]


@pytest.mark.parametrize(("origins", "allowed"), ON_PUBLIC, ids=lambda value: str(value)[:60])
def test_the_public_listener_lets_in(origins: list[str], allowed: bool) -> None:
    assert PUBLIC.allows("ws", [HOST], origins) is allowed


@pytest.mark.parametrize(
    ("scheme", "hosts", "origin", "allowed"),
    [
        ("wss", ["office.example.jp"], "https://office.example.jp", True),
        ("wss", ["office.example.jp"], "http://office.example.jp", False),
        ("ws", ["office.example.jp:80"], "http://office.example.jp", True),
        ("http", ["office.example.jp"], "http://office.example.jp:80", True),
        ("ws", ["[2001:DB8::1]:8080"], "http://[2001:db8::1]:8080", True),
        ("ws", ["[2001:db8::1]:8080"], "http://[2001:db8::2]:8080", False),
        ("ws", [], "http://office.example.jp", False),
        ("ws", ["office.example.jp", "evil.com"], "http://evil.com", False),
        ("ws", [""], "http://", False),
        ("ws", ["junk host"], "http://junk host", False),
    ],
)
def test_a_listeners_own_address_is_its_host_header(scheme: str, hosts: list[str], origin: str, allowed: bool) -> None:
    assert Guard().allows(scheme, hosts, [origin]) is allowed


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8081", "http://127.0.0.1:8081", True),
        ("localhost:8081", "http://localhost:8081", True),
        ("[::1]:8081", "http://[::1]:8081", True),
        ("127.0.0.1:8081", "http://localhost:8081", False),
        ("127.0.0.1:8081", "http://127.0.0.1:8080", False),
        ("127.0.0.1:8081", "https://staff.example.jp:8443", True),
        ("127.0.0.1:8081", "https://staff.example.jp", False),
        # A name of the attacker's that points to 127.0.0.1: the browser takes both for one origin.
        ("rebind.evil.com:8081", "http://rebind.evil.com:8081", False),
    ],
)
def test_inside_only_this_machine_and_configured_pages_count(host: str, origin: str, allowed: bool) -> None:
    assert INSIDE.allows("ws", [host], [origin]) is allowed


def test_a_configured_page_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="office/path"):
        Guard.for_pages(["https://office/path"])


def test_an_origin_is_scheme_host_and_port() -> None:
    assert Origin.parse("HTTPS://Ward.Example") == Origin("https", "ward.example", 443)
