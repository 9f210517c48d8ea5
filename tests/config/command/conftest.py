"""A short folder for each story."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: where the path is long, the store's socket has a folder of its own beside the office's."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)
