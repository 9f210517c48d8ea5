"""The ESC/POS library, without the temporary folder that each import of it would leave behind.

It makes that folder for a copy of its table of printers, reads the table once, and forgets both.
"""

import tempfile

with tempfile.TemporaryDirectory(prefix="junban-escpos-") as _folder:
    _before, tempfile.tempdir = tempfile.tempdir, _folder
    try:
        from escpos.escpos import Escpos
        from escpos.exceptions import Error as EscposError
        from escpos.printer import Dummy, File, Network, Usb
    finally:
        tempfile.tempdir = _before

__all__ = ["Dummy", "Escpos", "EscposError", "File", "Network", "Usb"]
