"""What `junban device` does on the machine of the ledger: show the devices, let one in by its code, put one out.

Tokens never come here, and the code of a device that waits is on that device's own screen alone.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import TracebackType
from typing import Self

from config.commands.asking import Say
from config.ledger import LedgerSettings, existing
from config.now import now_ms
from hub.desk.lane import Office
from hub.ledger.devices import Device, Devices
from hub.ledger.journal import Author
from web.viewers import ROLES

_TOKYO = timezone(timedelta(hours=9))


class DeviceCommand:
    """One office's devices, for the time of a block. Its acts raise refusals of the desk."""

    def __init__(self, settings: LedgerSettings, office: Office, say: Say, by: Author) -> None:
        """Raises LedgerUnusable."""
        self._ledger = settings.open(office.key)
        self._say, self._by = say, by
        self._devices = Devices(self._ledger, now_ms)

    def __enter__(self) -> Self:
        existing(self._ledger).prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.close()

    def list(self, *, as_json: bool) -> None:
        devices, waiting = self._devices.list(), self._devices.waiting()
        if as_json:
            told = {
                "devices": [
                    {"id": one.id, "role": one.role, "place": one.place, "seen_at": one.seen_at}
                    | {"version": one.version, "ended_at": one.ended_at}
                    for one in devices
                ],
                "waiting": [{"role": one.role, "place": one.place, "until": one.until} for one in waiting],
            }
            self._say(json.dumps(told, ensure_ascii=False))
            return
        for device in devices:
            self._say(_line(device))
        for one in waiting:
            self._say(f"{'登録待ち':<8}  {ROLES[one.role]}  {one.place}  {_moment(one.until)} まで")
        if not devices and not waiting:
            self._say("機器はまだありません。機器で画面を開き、出たコードを junban device let-in で登録してください。")

    def let_in(self, code: str, place: str, *, as_json: bool) -> None:
        device = self._devices.let_in(code, place, self._by)
        if as_json:
            told = {"ok": True, "id": device.id, "role": device.role, "place": device.place}
            self._say(json.dumps(told))
            return
        self._say(f"{device.id}（{ROLES[device.role]} {device.place}）を登録しました。")

    def revoke(self, id: str) -> None:
        self._devices.revoke(id, self._by)
        self._say(f"{id} の登録を取り消しました。")


def _line(device: Device) -> str:
    state = f"取り消し済み {_moment(device.ended_at)}" if device.ended_at else f"最終 {_moment(device.seen_at)}"
    return f"{device.id}  {ROLES[device.role]}  {device.place}  {state}"


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(_TOKYO).strftime("%Y-%m-%d %H:%M")
