"""The files that pages load, asked for anew each time and packed for whoever takes them so: a first load on a bad line.

Packed are files alone, once, and kept: never a page, in which a secret and somebody's words could stand side by side.
"""

import gzip
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # asked anew each time (ETag): after an upgrade no page runs old parts
    "Vary": "Accept-Encoding",
}
TEXTS = ("text/", "image/svg+xml")


class Statics(StaticFiles):
    """A folder of texts that is part of a release: what it holds is packed once a version, and that is all there is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._packed: dict[tuple[str, str], bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and scope["method"] == "GET" and _takes_gzip(scope):
            response = self._pack(response)
        response.headers.update(HEADERS)
        return response

    def _pack(self, response: FileResponse) -> Response:
        headers = response.headers
        if not headers["content-type"].startswith(TEXTS):
            return response
        file = str(response.path), headers["etag"]
        if file not in self._packed:
            with open(response.path, "rb") as content:
                self._packed[file] = gzip.compress(content.read(), mtime=0)
        kept = {name: headers[name] for name in ("content-type", "etag", "last-modified")}
        return Response(self._packed[file], headers=kept | {"Content-Encoding": "gzip"})


def _takes_gzip(scope: Scope) -> bool:
    said = Headers(scope=scope).get("accept-encoding", "")
    return any(word.strip() == "gzip" for word in said.split(","))
