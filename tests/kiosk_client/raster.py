"""An interpreter of a slip's bytes, written from the printer's manual and not from our code. What it lacks fails.

Tried by hand beside it: no package of PyPI or Debian reads ESC/POS (all write it); npm `npos` does, found nothing amiss
in a slip and gave the very picture back, dot for dot; tesseract read number and code from picture and raster alike.
"""

from PIL import Image

GS_V_0 = b"\x1dv0"
CUT = b"\x1dV"
FEED = b"\x1bd"  # so many lines


def pictures_of(printed: bytes) -> list[Image.Image]:
    """Each `GS v 0 m xL xH yL yH data` of the bytes, black on white. Nothing else is there but feeds and cuts."""
    found, at = list[Image.Image](), 0
    while at < len(printed):
        if printed.startswith(GS_V_0, at):
            mode, x_low, x_high, y_low, y_high = printed[at + 3 : at + 8]
            assert mode == 0  # as it is: neither wide nor tall
            bytes_wide, height = x_low + 256 * x_high, y_low + 256 * y_high
            data = printed[at + 8 : at + 8 + bytes_wide * height]
            assert len(data) == bytes_wide * height
            inverted = bytes(byte ^ 0xFF for byte in data)  # the printer's 1 is black, the picture's is white
            found.append(Image.frombytes("1", (bytes_wide * 8, height), inverted))
            at += 8 + len(data)
        elif printed.startswith((FEED, CUT), at):
            assert printed[at : at + 2] == FEED or printed[at + 2] in b"\0\x01"  # cut where the paper is
            at += 3
        else:
            raise AssertionError(f"byte {at}: {printed[at : at + 8].hex(' ')}")
    return found


def whole_paper(printed: bytes) -> Image.Image:
    """What lies in the tray: all pictures one below the other."""
    pictures = pictures_of(printed)
    paper = Image.new("1", (max(picture.width for picture in pictures), sum(picture.height for picture in pictures)), 1)
    y = 0
    for picture in pictures:
        paper.paste(picture, (0, y))
        y += picture.height
    return paper
