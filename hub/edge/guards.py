"""Which web page may open a socket here. A browser names the page's origin; every other client names none.

Pure: headers in, yes or no out. A browser lets any page on the internet open a websocket to any address, also to
127.0.0.1; the Origin header is the only sign of it (OWASP; ASVS 5.0.0, 4.4.2).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host in small letters, port: what the web calls an origin (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Self | None":
        """The origin that `scheme://host[:port]` names; None for `null`, a path, a user, several, or anything else."""
        found = _ORIGIN.fullmatch(text)
        return cls.of(found[1].lower(), found[2]) if found else None

    @classmethod
    def of(cls, scheme: str, host: str) -> "Self | None":
        """From a scheme and what a Host header says; without a port it is the scheme's own."""
        found = _HOST.fullmatch(host.lower())
        if found is None or int(found[2] or 1) not in range(1, 65536):
            return None
        return cls(scheme, found[1], int(found[2] or _PORTS[scheme]))


@dataclass(frozen=True, slots=True)
class Guard:
    """One listener's rule. `pages` are the configured URLs of our own pages, besides the listener's own address.

    `by_loopback_only`: the listener's own address counts only under a name of this machine. Otherwise a page on the
    internet could let its own name point to 127.0.0.1, and would then be "its own origin" (DNS rebinding).
    """

    pages: frozenset[Origin] = frozenset()
    by_loopback_only: bool = False

    @classmethod
    def for_pages(cls, urls: Collection[str], *, by_loopback_only: bool = False) -> Self:
        """Raises ValueError for a URL that is no origin."""
        pages = {url: Origin.parse(url.rstrip("/")) for url in urls}
        wrong = [url for url, page in pages.items() if page is None]
        if wrong:
            raise ValueError(f"not of the form https://host[:port]: {', '.join(wrong)}")
        return cls(frozenset(page for page in pages.values() if page), by_loopback_only)

    def allows(self, scheme: str, hosts: Sequence[str], origins: Sequence[str]) -> bool:
        """May a request with these Host and Origin headers come in? `scheme` is the listener's: ws, wss, http, https.

        No Origin: no browser page, allowed; not the question for what rests on a cookie (`allows_by_cookie`). Several,
        or one that is none: refused.
        """
        if not origins:
            return True
        origin = Origin.parse(origins[0]) if len(origins) == 1 else None
        if origin is None:
            return False
        if origin in self.pages:
            return True
        own = Origin.of("https" if scheme in ("wss", "https") else "http", hosts[0]) if len(hosts) == 1 else None
        return origin == own and (origin.host in _LOOPBACK or not self.by_loopback_only)

    def allows_by_cookie(
        self,
        scheme: str,
        hosts: Sequence[str],
        origins: Sequence[str],
        sites: Sequence[str] = (),
        *,
        changes: bool = True,
    ) -> bool:
        """The same where a cookie says who asks: a browser sends it along whatever page the request comes from.

        The page has to name itself then, and `Sec-Fetch-Site` (`sites`), where a browser says it, must not know better.
        `changes` False: for what only opens (a websocket's GET), where `none`, no page at all, is nobody else's doing.
        """
        own = ("same-origin",) if changes else ("same-origin", "none")
        is_ours = not sites or (len(sites) == 1 and sites[0] in own)
        return bool(origins) and is_ours and self.allows(scheme, hosts, origins)
