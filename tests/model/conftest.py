"""The four desks as one fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.model.desks import RulesDesk, TimelessDesk, small_office, store_desk


@pytest.fixture(params=["rules", "fakeredis", "valkey", "redis7"])
async def desk(request: pytest.FixtureRequest, office_name: str) -> AsyncIterator[TimelessDesk]:
    """A small office at noon of its first day."""
    office = small_office(office_name, last=105)
    if request.param == "rules":
        rules = RulesDesk(office)
        await rules.open_day()
        yield rules
        return
    url = None if request.param == "fakeredis" else request.getfixturevalue(f"{request.param}_server").url
    async with store_desk(office, url) as stored:
        await stored.open_day()
        yield stored
