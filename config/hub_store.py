"""A hub's side of the store: which of its parts asks by which connection, who wakes workers, and who opens days."""

import redis.exceptions
import structlog
from redis.asyncio import Redis

from config.waking import Waking
from hub.desk.lane import Office
from hub.desk.refusals import StoreAway, StoreDamaged
from hub.store import library
from hub.store.connection import connect
from hub.store.facts import FactStream
from hub.store.lanes import Lanes
from workers.wake import Waker

_log = structlog.get_logger("config.hub_store")


class HubStore:
    """One office's, for as long as a hub runs. Nothing connects before it is asked for something."""

    def __init__(self, office: Office, redis_url: str, jobs_url: str) -> None:
        self.client = connect(redis_url)
        self._waker = Waker(jobs_url, office.key)
        self.waking = Waking(self._waker.wake)
        self.lanes = Lanes(self.client, office, self.waking.on_due)
        # The tail and the day ask on connections of their own: however many requests are under way, none of those is
        # the one for which the store looks away.
        self.own_client = connect(redis_url)
        self.own_lanes = Lanes(self.own_client, office)
        self.source = FactStream(redis_url, self.own_lanes)
        self.opening = Opening(self.own_client, self.own_lanes)

    async def close(self) -> None:
        await self.waking.close()
        self._waker.close()
        await self.source.close()
        await self.own_client.aclose()
        await self.client.aclose()


class Opening:
    """Opens days in a store that has our functions; one that came back empty gets them anew."""

    def __init__(self, client: Redis, lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes
        self._is_installed = False
        self._days_ahead = 0  # as the log knows it

    async def install(self) -> None:
        """Raises StoreAway, and LibraryDiffers."""
        try:
            await library.install(self._client)
        except (redis.exceptions.RedisError, OSError) as error:
            raise StoreAway from error
        self._is_installed = True

    async def open_day(self) -> str:
        if not self._is_installed:
            await self.install()
        try:
            day = await self._lanes.open_day()
        except StoreDamaged:
            self._is_installed = False
            raise
        ahead = self._lanes.days_ahead
        if ahead and not self._days_ahead:
            _log.error("the open day lies after today; was a clock wrong?", day=day, days=ahead)
        self._days_ahead = ahead
        return day
