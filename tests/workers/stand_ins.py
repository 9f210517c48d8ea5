"""A carrier's stand-in behind a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from config.loopback import HOST, place_at
from tests.eventually import eventually


@asynccontextmanager
async def serving(routes: Sequence[BaseRoute]) -> AsyncIterator[str]:
    """Gives the base URL."""
    with place_at(0) as place:
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=list(routes)), ws="none", lifespan="off", log_config=None, access_log=False)
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined, unused-ignore]
        running = asyncio.create_task(server._serve([place]))
        try:
            await eventually(lambda: server.started)
            yield f"http://{HOST}:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
