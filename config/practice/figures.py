"""Reads a file of figures into `Figures`, checked; it knows no figure itself."""

from pathlib import Path

import msgspec

from hub.forecast.day import Figures

TYPICAL = Path(__file__).with_name("figures.toml")


class FaultyFigures(Exception):
    """The file holds no figures; the message says where and why."""


def read_figures(path: Path = TYPICAL) -> Figures:
    try:
        return msgspec.toml.decode(path.read_text(encoding="utf-8"), type=Figures)
    except (OSError, UnicodeError, msgspec.DecodeError) as error:
        raise FaultyFigures(f"{path}: {error}") from error
