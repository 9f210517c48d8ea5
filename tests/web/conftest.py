"""A visitor's page on a site whose hub is a script. What the page throws or logs as an error fails the story."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest

from hub.wire import messages as m
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.async_api import Page

MakeSite = Callable[[m.Snapshot | None], Site]


@pytest.fixture
async def site(page: "Page") -> AsyncIterator[MakeSite]:
    made: list[Site] = []

    def make(whole: m.Snapshot | None) -> Site:
        made.append(Site(page, whole))
        return made[-1]

    yield make
    assert [fault for site in made for fault in site.faults] == []
