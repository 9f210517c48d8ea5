"""The one request that is open, on disk: after a power cut the same is asked again, and its slip printed."""

from pathlib import Path

import msgspec

from kiosk_client.whole_file import WholeFile

FILE = "request.json"


class OpenRequest(msgspec.Struct, frozen=True):
    """`day`: the business day it was asked on (YYYY-MM-DD); the hub knows its `id` on that day only."""

    id: str
    lane: str
    secret: str
    day: str


class Spool(WholeFile[OpenRequest]):
    """Room for one request in `folder`, which is made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE, OpenRequest)
