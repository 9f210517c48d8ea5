"""What a screen shows that is not let in yet: its code, so large that it can be read from where it is typed."""

from starlette.responses import Response

from hub.desk.lane import Office
from hub.ledger.devices import Device
from hub.wire.roles import Role
from web.pages import rendered
from web.times import moment
from web.viewers import ROLES

RELOAD_SECONDS = 10  # without JavaScript, and while nothing can be said


class EnrolmentPages:
    """One office's."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enrol(self, role: Role, place: str, code: str, until: int) -> Response:
        return self._page(role, place=self._place(role, place), code=code, until=moment(until).minutes)

    def elsewhere(self, asked: Role, device: Device) -> Response:
        """This browser is another device, or stands elsewhere: it is not taken from there unasked."""
        page = {Role.WALL: f"/wall/{device.place}", Role.DESK: "/desk"}.get(device.role, "")
        told = f"{ROLES[device.role]}（{self._place(device.role, device.place)}）"
        return self._page(asked, status=409, is_elsewhere=True, device=told, page=page)

    def not_now(self, refusal: str, status: int) -> Response:
        return self._page(None, status=status, refusal=refusal)

    def desk(self, counter: str) -> Response:
        """The machine of a counter that is let in."""
        return self._page(Role.DESK, is_in=True, place=self._place(Role.DESK, counter), page="/desk")

    def _page(self, role: Role | None, *, status: int = 200, **told: object) -> Response:
        usual = {"place": "", "code": "", "until": "", "refusal": "", "device": "", "page": ""}
        return rendered(
            "enrol.html",
            status,
            office=self._office.name,
            role=ROLES[role] if role else "機器",
            reload=RELOAD_SECONDS,
            **({"is_in": False, "is_elsewhere": False} | usual | told),
        )

    def _place(self, role: Role, place: str) -> str:
        names = {counter.key: counter.name for counter in self._office.counters} if role is Role.DESK else {}
        return names.get(place, place)
