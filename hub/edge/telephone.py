"""Which text is a telephone number here, how it is written down, and how it can be reached. Knows not whose it is.

Mobile phones take a short message or a call, fixed lines and VoIP a call; what costs whoever is called from, or nobody
can call back on, is refused: 0120, 0570, 0990, 020, 110, other countries, extensions.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from hub.store.sealing import By

REGION = "JP"
LONGEST = 40
# Digits of any script and what people write between them; letters only where `tel:` stands first.
WRITTEN = re.compile(r"(?:tel:)?\+?[\d() .‐-―ー－-]+")
REACHED = {
    PhoneNumberType.MOBILE: (By.SMS, By.VOICE),
    PhoneNumberType.FIXED_LINE: (By.VOICE,),
    PhoneNumberType.VOIP: (By.VOICE,),
}


@dataclass(frozen=True, slots=True)
class Telephone:
    """`number`: E.164. `ways`: how it can be reached, the one that disturbs less first."""

    number: str
    ways: tuple[By, ...]

    @property
    def shown(self) -> str:
        """As it is written in Japan, for whoever typed it."""
        return phonenumbers.format_number(phonenumbers.parse(self.number), PhoneNumberFormat.NATIONAL)


def read_telephone(typed: str) -> Telephone | None:
    """None where it is no number that can be told anything."""
    text = unicodedata.normalize("NFKC", typed).strip(" ")
    if len(text) > LONGEST or not WRITTEN.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except NumberParseException:
        return None
    ways = REACHED.get(phonenumbers.number_type(number))
    if not ways or number.extension or phonenumbers.region_code_for_number(number) != REGION:
        return None
    return Telephone(phonenumbers.format_number(number, PhoneNumberFormat.E164), ways)
