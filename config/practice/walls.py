"""In practice a wall lets itself in: who opens its page has nothing to type, and no code to carry to a desk.

Never part of an office in earnest, where somebody who may does it. Other devices wait for that here as well.
"""

from hub.ledger.devices import Asking, Devices
from hub.ledger.journal import Author
from hub.wire.roles import Role

BY = Author("hub")


class PracticeDevices(Devices):
    def ask(self, role: Role, place: str, version: str) -> Asking:
        asking = super().ask(role, place, version)
        if role is Role.WALL:
            self.let_in(asking.code, place, BY)
        return asking
