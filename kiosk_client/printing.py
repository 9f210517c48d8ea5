"""One printer in a thread of its own, which is waited for no longer than a resident stands there.

A device without paper keeps its writer waiting for ever, and a printer's library raises what it likes: either way the
slip counts as failed, the machine goes on, and no other slip is begun before the thread is done. It ends with the
process.
"""

import asyncio
import threading
from contextlib import suppress

from kiosk_client.printer import Printer, PrinterFailed
from kiosk_client.slip import Slip
from kiosk_client.trouble import Trouble

WITHIN_S = 15.0  # a slip takes two


class Printing:
    def __init__(self, printer: Printer, within_s: float = WITHIN_S) -> None:
        self._printer = printer
        self._within_s = within_s
        self._thread: threading.Thread | None = None
        self._trouble = Trouble("printer works again")

    async def print(self, slip: Slip) -> None:
        """Returns when it is out. Raises PrinterFailed; a slip that was waited for too long may still come out."""
        if self._thread is not None and self._thread.is_alive():
            raise PrinterFailed("the slip before is still in the printer")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Exception | None] = loop.create_future()

        def tell(error: Exception | None) -> None:
            if not done.done():
                done.set_result(error)

        def work() -> None:
            error: Exception | None = None
            try:
                self._printer.print(slip)
            except Exception as raised:
                error = raised
            with suppress(RuntimeError):  # the machine has ended meanwhile
                loop.call_soon_threadsafe(tell, error)

        self._thread = threading.Thread(target=work, name="printer", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(self._within_s):
                error = await done
        except TimeoutError:
            self._trouble.begin("printer hangs")
            raise PrinterFailed("no slip came out in time") from None
        if error is not None:
            self._trouble.begin("printer failed", error)
            raise PrinterFailed(str(error)) from error
        self._trouble.end()
