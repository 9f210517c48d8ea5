"""An interpreter of the raster command, written from the printer's manual and not from our code."""

from PIL import Image

GS_V_0 = b"\x1dv0"
CUT = b"\x1dV"


def pictures_of(printed: bytes) -> list[Image.Image]:
    """Each `GS v 0 m xL xH yL yH data` of the bytes, black on white."""
    found, at = [], printed.find(GS_V_0)
    while at >= 0:
        mode, x_low, x_high, y_low, y_high = printed[at + 3 : at + 8]
        assert mode == 0  # as it is: neither wide nor tall
        bytes_wide, height = x_low + 256 * x_high, y_low + 256 * y_high
        data = printed[at + 8 : at + 8 + bytes_wide * height]
        assert len(data) == bytes_wide * height
        inverted = bytes(byte ^ 0xFF for byte in data)  # the printer's 1 is black, the picture's is white
        found.append(Image.frombytes("1", (bytes_wide * 8, height), inverted))
        at = printed.find(GS_V_0, at + 8 + bytes_wide * height)
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
