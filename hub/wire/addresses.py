"""Which text is an e-mail address here, and how it is written down. Knows nothing of whose it is, or of sending.

Own grammar, not that of RFC 5322: docomo and ezweb gave out addresses with dots side by side or at an end of the local
part, which that grammar knows in quotes only, and comments, address literals and several addresses are refused.
"""

import re
import unicodedata

ADDRESS_CHARACTERS = 254  # the longest that fits a path of 256 with its angle brackets (RFC 5321, 4.5.3.1.3)

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def read_address(typed: str) -> str | None:
    """The address as it is kept: half width, no spaces at its ends, no quotes. None where it is no address."""
    text = unicodedata.normalize("NFKC", typed).strip(" ")
    local, at, domain = text.rpartition("@")
    if len(local) > 2 and local[0] == local[-1] == '"':
        local = local[1:-1]
    address = f"{local}{at}{domain}"
    if not at or len(address) > ADDRESS_CHARACTERS or not _LOCAL.fullmatch(local):
        return None
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if labels[-1].isdigit():  # no name ends in figures alone (RFC 3696, 2): it is the number of a machine
        return None
    return address
