"""Whatever is sent comes back: here both engines are held against RFC 6455, with room for long messages.

`/echo` echoes; the other paths are what an application may do to a connection. As a program of its own it serves our
own engine with the limit of a hub, and says its port.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from config.serving import Engine, engine_of, listen
from hub.edge.connections import HttpConnection
from hub.edge.websocket.connection import LINE, WebsocketConnection
from hub.wire.messages import CLIENT_FRAME_BYTES
from tests.eventually import eventually

ECHO_BYTES = 128 * 1024  # the longest message of Autobahn's cases of correctness is 65,536 bytes


async def echo(websocket: WebSocket) -> None:
    await websocket.accept(
        subprotocol="b" if "b" in websocket.scope["subprotocols"] else None, headers=[(b"x-told", b"1")]
    )
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        if (text := message.get("text")) is None:
            await websocket.send_bytes(message["bytes"])
        elif text == "close":
            await websocket.close(4001, "bye")
        elif text == "fail":
            raise ValueError("asked for")
        elif text == "return":
            return
        else:
            await websocket.send_text(text)


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


async def deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(JSONResponse({"why": "full"}, 503, headers={"retry-after": "3"}))


async def fail(websocket: WebSocket) -> None:
    raise ValueError("before the answer")


async def ignore(websocket: WebSocket) -> None:
    """Answers nothing."""


async def late(websocket: WebSocket) -> None:
    """Answers when it is told to."""
    await APP.state.go_on.wait()
    await echo(websocket)


async def tell(websocket: WebSocket) -> None:
    await websocket.accept()
    asked = {"path": websocket.url.path, "query": dict(websocket.query_params), "id": websocket.path_params["id"]}
    await websocket.send_json(asked | {"cookie": websocket.cookies.get("s")})
    await websocket.close()


async def listen_only(websocket: WebSocket) -> None:
    """Is told `APP.state.told` together with the answer to the handshake."""
    await websocket.accept()
    websocket.scope["extensions"][LINE].write(APP.state.told)
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


APP = Starlette(
    routes=[
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/refuse", refuse),
        WebSocketRoute("/deny", deny),
        WebSocketRoute("/fail", fail),
        WebSocketRoute("/ignore", ignore),
        WebSocketRoute("/late", late),
        WebSocketRoute("/listen", listen_only),
        WebSocketRoute("/tell/{id:int}", tell),
    ]
)


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def echoing(engine: Engine, message_bytes: int = ECHO_BYTES, ping_s: float = 20.0) -> AsyncIterator[int]:
    """Give the port."""
    with listen("127.0.0.1", 0) as place:
        server = Server(
            uvicorn.Config(
                APP,
                http=HttpConnection,
                ws=engine_of(engine, ping_s),
                ws_max_size=message_bytes,
                ws_ping_interval=ping_s,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                timeout_graceful_shutdown=3,
            )
        )
        running = asyncio.create_task(server.serve(sockets=[place]))
        port = port_of(place)
        await eventually(lambda: server.started)
        yield port
        server.should_exit = True
        await running


def port_of(place: socket.socket) -> int:
    return int(place.getsockname()[1])


async def main() -> None:
    async with echoing(WebsocketConnection, CLIENT_FRAME_BYTES) as port:
        print(port, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
