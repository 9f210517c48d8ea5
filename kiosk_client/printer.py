"""Where slips come out: of a printer that speaks ESC/POS, or, without paper, as files in a folder.

Always a raster: the letters of Japanese printers differ from make to make, dots do not.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from PIL.Image import Image

from kiosk_client.escpos_library import Dummy, Escpos, EscposError, File, Network, Usb
from kiosk_client.slip import Slip, draw

PROFILE = "TM-T88III"  # 512 dots, raster, cutter: what Epson's and their like have in common
RAW_PORT = 9100
TIMEOUT_S = 5  # the resident stands there


class PrinterFailed(Exception):
    """No slip came out, as far as the printer says. Trying again may help."""


class Printer(Protocol):
    """Takes a slip and returns when it is out. Raises PrinterFailed. May block: not for the event loop."""

    def print(self, slip: Slip) -> None: ...


class Paperless:
    """Each slip's picture (`.png`), the printer's bytes (`.escpos`) and the resident's page (`.url`, one line of text).

    For their owner alone: all three hold the secret.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def print(self, slip: Slip) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            picture, name = draw(slip), f"{slip.at:%Y-%m-%d}-{slip.number}"
            _write(self._folder / f"{name}.escpos", escpos_bytes(picture))
            _write(self._folder / f"{name}.url", f"{slip.address}\n".encode())
            picture.save(unnamed := self._folder / f".{name}", "PNG")
            unnamed.chmod(0o600)
            unnamed.rename(self._folder / f"{name}.png")  # whoever sees the picture sees all of it, and the rest
        except OSError as error:
            raise PrinterFailed(str(error)) from error


class EscposPrinter:
    """A printer that is opened for each slip: one that was off or unplugged is found again."""

    def __init__(self, connect: Callable[[], Escpos]) -> None:
        self._connect = connect

    def print(self, slip: Slip) -> None:
        try:
            printer = self._connect()
            try:
                printer.open()  # type: ignore[no-untyped-call]
                _put(printer, draw(slip))
            finally:
                printer.close()  # type: ignore[no-untyped-call]
        except (EscposError, OSError) as error:
            raise PrinterFailed(str(error)) from error


def printer_at(address: str) -> EscposPrinter:
    """`network://HOST[:PORT]`, `usb://VENDOR:PRODUCT` (hexadecimal), or `file:///dev/usb/lp0`. Raises ValueError."""
    parts = urlsplit(address)
    match parts.scheme:
        case "network" if parts.hostname:
            host, port = parts.hostname, parts.port or RAW_PORT
            return EscposPrinter(lambda: Network(host, port, timeout=TIMEOUT_S, profile=PROFILE))
        case "usb":
            vendor, _, product = parts.netloc.partition(":")
            ids = int(vendor, 16), int(product, 16)
            return EscposPrinter(lambda: Usb(*ids, timeout=TIMEOUT_S * 1000, profile=PROFILE))
        case "file" if parts.path:
            return EscposPrinter(lambda: File(parts.path, profile=PROFILE))
    raise ValueError(address)


def escpos_bytes(picture: Image) -> bytes:
    """What a printer would be sent."""
    dummy = Dummy(profile=PROFILE)
    _put(dummy, picture)
    output: bytes = dummy.output
    return output


def _put(printer: Escpos, picture: Image) -> None:
    printer.image(picture, impl="bitImageRaster")
    printer.cut()


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
