"""``python -m utils.serving``: a network that answers on this machine; see :mod:`utils.serving.service`.

It ends at Ctrl-C or SIGTERM, once the texts in work are written; at a second one at once.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from utils.generation.stored import Stored, load_engine
from utils.serving import MODEL
from utils.serving.service import Service, losses

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was said on the command line."""
    parser = argparse.ArgumentParser(prog="python -m utils.serving", description=__doc__.partition(";")[0])
    add = parser.add_argument
    add(
        "--model",
        default=str(MODEL),
        metavar="FILE",
        help="network of save_engine(); default: one of the King James Bible",
    )
    add("--host", default="127.0.0.1", help="address to listen on; default: 127.0.0.1, which only this machine reaches")
    add("--port", type=int, default=8000, help="0 for any that is free; default: 8000")
    add("--streams", type=int, default=64, help="texts in work at once; default: 64")
    add("--queue", type=int, default=None, help="requests that wait beyond that; default: as many")
    add(
        "--states", default=None, metavar="FOLDER", help="where conversations are kept; default: until the service ends"
    )
    add("--words", default=None, metavar="FILE", help="words and phrases that may not be said, one a line")
    add("--doubt", type=float, default=-2.0, help="mean log-probability below which a person should look; default: -2")
    add(
        "--usual",
        default=None,
        metavar="FILE",
        help="texts as they usually come, one a line; others then count as drift",
    )
    add("--longest", type=int, default=20_000, help="characters that one request may ask for; default: 20000")
    add("--deadline", type=float, default=120.0, help="seconds that one request may take; default: 120")
    add("--chunk", type=int, default=200, help="characters after which a conversation is kept; default: 200")
    add("--drain", type=float, default=30.0, help="seconds that texts may take to end after SIGTERM; default: 30")
    return parser.parse_args(arguments)


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for clients.

    Its protocol is named: on connections of a socket that says 0 there, asyncio leaves Nagle's algorithm on, and the
    second half of every answer waits 40 milliseconds for the client to acknowledge the first.
    """
    listening = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    try:
        if sys.platform != "win32":  # where it would let two services share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except BaseException:
        listening.close()
        raise
    return listening


class Server(uvicorn.Server):
    """A server that ends when its texts have ended."""

    def __init__(self, config: uvicorn.Config, service: Service, limit: float) -> None:
        super().__init__(config)
        self._service, self._limit = service, limit

    def handle_exit(self, sig: int, frame) -> None:
        self._loop.call_soon_threadsafe(self._service.drain, self._end, self._limit)

    def _end(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and only then say where: from here on signals are heard."""
        await super().startup(sockets)
        host, port, *_ = sockets[0].getsockname()
        print(f"Serving on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end.

    Raises:
        SystemExit: with one line that says why it cannot.
    """
    chosen = options(arguments)
    with contextlib.ExitStack() as stack:
        try:
            states = chosen.states or stack.enter_context(tempfile.TemporaryDirectory(prefix="conversations-"))
            stored = load_engine(chosen.model)
            service = Service(
                stored,
                states,
                streams=chosen.streams,
                queue=chosen.queue,
                words=_lines(chosen.words),
                doubt=chosen.doubt,
                monitor=_monitor(stored, _lines(chosen.usual)) if chosen.usual else None,
                longest=chosen.longest,
                deadline=chosen.deadline,
                chunk=chosen.chunk,
                hosts=LOOPBACK if _is_loopback(chosen.host) else ("*",),
            )
            listening = stack.enter_context(listen(chosen.host, chosen.port))
        except (OSError, ValueError, OverflowError) as error:
            sys.exit(f"The service cannot start on {chosen.host}:{chosen.port}: {error}")
        config = uvicorn.Config(
            service.app,
            lifespan="on",
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=4 * service.room + 100,
        )
        Server(config, service, chosen.drain).run([listening])


def _lines(path: str | None) -> list[str]:
    """The lines of a file that hold something, without the space around it."""
    lines = Path(path).read_text(encoding="utf-8").split("\n") if path else []
    return [line.strip() for line in lines if line.strip()]


def _monitor(stored: Stored, usual: list[str]):
    from utils.serving.drift import LossMonitor  # SciPy's optimisers and distributions take a while to load

    return LossMonitor(losses(stored, usual))


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


if __name__ == "__main__":
    main()
