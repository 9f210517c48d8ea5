"""The simulated days of a demonstration, one child after the other."""

import time
from collections.abc import Callable
from pathlib import Path

from config import processes
from config.commands.asking import Say
from config.posts import JUNBAN, last_line

DEMO_SPEED = 20
PAUSE_AFTER_FAILURE_S = 10.0  # the hub may just be coming back


class SimulatedDays:
    """One simulated day after the other, each with its own seed, through the public protocol of a practice office."""

    def __init__(
        self,
        hub_url: str,
        log: Path,
        say: Say,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        credentials: Path,
        inbox_url: str | None = None,
    ) -> None:
        self.seed = 0
        # --shared: whoever looks at the demonstration will press buttons too.
        self._command = [*JUNBAN, "simulate", "--shared", "--speed", str(DEMO_SPEED), "--hub", hub_url]
        self._command += ["--credentials", str(credentials)]
        self._command += ["--inbox", inbox_url] if inbox_url else []
        self._log = log
        self._say = say
        self._monotonic = monotonic
        self._child: processes.Child | None = None
        self._next_at = monotonic()

    def tend(self) -> None:
        """Start the first day, or the next when one has ended. Call it a few times a second."""
        if self._child is not None and not self._child.is_running:
            self._end(self._child)
        if self._child is None and self._monotonic() >= self._next_at:
            self.seed += 1
            if self.seed > 1:
                self._say(f"次の模擬の一日（種 {self.seed}）を始めます。")
            try:
                with self._log.open("wb") as log:
                    command = [*self._command, "--seed", str(self.seed)]
                    self._child = processes.start(command, name="模擬の一日", stdout=log, stderr=log)
            except (OSError, processes.CannotStart) as error:
                self._next_at = self._monotonic() + PAUSE_AFTER_FAILURE_S
                self._say(f"模擬の一日（種 {self.seed}）を始められません: {error}")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _end(self, child: processes.Child) -> None:
        self._child = None
        if child.exit_code:
            self._next_at = self._monotonic() + PAUSE_AFTER_FAILURE_S
            self._say(f"模擬の一日（種 {self.seed}）は失敗に終わりました: {last_line(self._log)}")
