"""Which ports are free on this machine, and one sentence about those that are not."""

import contextlib
import errno
import socket
import sys
from collections.abc import Collection, Iterator

from config.loopback import HOST
from config.posts import OfficeDidNotStart
from config.settings import Machine

_claimed: set[int] = set()  # for this process's life


def with_free_ports(machine: Machine) -> Machine:
    """The same machine on two ports that nobody uses at the moment."""
    with listening("", 0) as public, listening("", 0) as inside:
        ports = {"port": public.getsockname()[1], "inside_port": inside.getsockname()[1]}
    return machine.model_copy(update=ports)


def port_near(wanted: int, others: Collection[int] = ()) -> int:
    """A port of loopback that nobody uses at the moment, and that is none of `others`: the wanted one if it is free."""
    if wanted and wanted not in others and not is_taken(HOST, wanted) and _is_ours(wanted):
        return wanted
    while True:
        with listening(HOST, 0) as place:
            port: int = place.getsockname()[1]
        if port not in others:
            return port


def taken_ports(machine: Machine) -> list[int]:
    """Which of the machine's two ports somebody else listens on. Raises OfficeDidNotStart for what no port can help."""
    wanted = ((machine.public_host, machine.port), (HOST, machine.inside_port))
    return [port for host, port in wanted if is_taken(host, port) or not _is_ours(port)]


def _is_ours(port: int) -> bool:
    """Of offices that start at the same moment, and have nobody listening yet, one has the port (on Linux)."""
    if port in _claimed or sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0junban-port-{port}")  # a name without a file: it is gone with the process, however that ends
    except OSError:
        claim.close()
        return False
    claim.detach()  # it stays open
    _claimed.add(port)
    return True


def is_taken(host: str, port: int) -> bool:
    try:
        with listening(host, port):
            return False
    except OSError as error:
        if error.errno != errno.EADDRINUSE or isinstance(error, socket.gaierror):
            raise OfficeDidNotStart(why_not_listening(host, str(port), error)) from error
        return True


def why_not_listening(host: str, ports: str, error: OSError) -> str:
    """One sentence; `host` is where the public pages should be."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"JUNBAN_PUBLIC_HOST の {host} はこの機械のアドレスではありません。"
            "この機械のアドレスか、0.0.0.0（すべて）を書いてください。"
        )
    if error.errno == errno.EADDRINUSE:
        return f"ポート {ports} はほかのプログラムが使っています。--port か JUNBAN_PORT で別の番号を指定してください。"
    if isinstance(error, PermissionError):
        return f"ポート {ports} を開く権限がありません。--port か JUNBAN_PORT で 1024 以上の番号を指定してください。"
    return f"ポート {ports} を開けません（{error.strerror}）。JUNBAN_PORT と JUNBAN_INSIDE_PORT を変えてください。"


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given back counts as free
        place.bind((host, port))
        place.listen()
        yield place
