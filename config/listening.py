"""Which addresses of this machine somebody listens on, as Linux tells it; elsewhere nothing is known.

What listens on an address of the machine itself, other machines reach; what listens on loopback, they do not.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

TABLES = ("tcp", "tcp6")
LISTENS = "0A"  # the kernel's number of that state


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    port: int

    @property
    def is_own(self) -> bool:
        """Nobody but this machine reaches it."""
        address = ipaddress.ip_address(self.address)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def places(port: int, tables: Path = Path("/proc/net")) -> list[Place]:
    """Where somebody listens on this port; empty also where nobody can know."""
    found = set()
    for table in TABLES:
        try:
            rows = (tables / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            _, place, _, state, *_ = row.split()
            address, _, number = place.partition(":")
            if state == LISTENS and int(number, 16) == port:
                found.add(Place(_address(address), port))
    return sorted(found, key=str)


def _address(text: str) -> str:
    """The kernel writes an address word by word, each of them backwards."""
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(raw))
