"""A service of one's own for a while, and many clients at once that ask it.

Load is measured in two ways. In a **closed loop** each of so many clients asks again when its answer has ended: a slow
service is asked less often, which flatters it. In an **open loop** requests come when they come, as from people who
know nothing of each other. ::

    with running("--streams", "8") as server:
        table = closed_loop(server.url, clients=8, requests=40, length=200)
        percentiles(table["first"])  # seconds until the first character
        percentiles(np.concatenate(table["gaps"]))  # and between two pieces of a text
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[2]
PROMPT = "And it came to pass in those days, that "
START = "Serving on "  # what the service prints before its address


class Server(NamedTuple):
    """A service that runs in a process of its own.

    Attributes:
        url: where it answers.
        process: ``process.send_signal(signal.SIGTERM)`` lets it drain, ``process.kill()`` ends it as a crash would.
    """

    url: str
    process: subprocess.Popen


@contextlib.contextmanager
def running(*arguments: str, limit: Callable[[], None] | None = None, patience: float = 30.0) -> Iterator[Server]:
    """A service on a free port of this machine, ended with the block whatever happens in it.

    Taught in lesson 16.

    Args:
        arguments: of ``python -m utils.serving``.
        limit: called in the new process before it becomes the service, such as to limit what it may write; Unix only.
        patience: seconds it may take to end before it is killed.

    Raises:
        RuntimeError: it did not start; says what it printed.
    """
    command = [sys.executable, "-m", "utils.serving", "--port", "0", *arguments]
    search = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    with contextlib.ExitStack() as stack:
        complaints = stack.enter_context(tempfile.TemporaryFile("w+"))  # a pipe that nobody reads would fill up
        process = stack.enter_context(
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=os.environ | {"PYTHONPATH": search},
                preexec_fn=limit,
            )
        )
        stack.callback(_end, process, patience)
        line = process.stdout.readline()  # empty when it has ended
        if not line.startswith(START):
            _end(process, patience)
            complaints.seek(0)
            raise RuntimeError(f"The service did not start: {line}{complaints.read()}")
        yield Server(line.removeprefix(START).strip(), process)


def _end(process: subprocess.Popen, patience: float) -> None:
    """The first signal lets texts end, the second ends them, and then there is no more asking."""
    for end, seconds in ((process.terminate, 1.0), (process.terminate, patience), (process.kill, None)):
        if process.poll() is None:
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)


class Answer(NamedTuple):
    """What came of a request.

    Attributes:
        status: of HTTP.
        text: all of it.
        events: every event but the pieces of text, as pairs of a name and an object; of a refusal ``("refused", ...)``,
            of a line that went dead ``("cut", ...)``.
        first: seconds until the first character, NaN if none came.
        gaps: seconds between pieces of the text, an array.
        seconds: until the end.
    """

    status: int
    text: str
    events: list[tuple[str, dict]]
    first: float
    gaps: np.ndarray
    seconds: float


def ask(url: str, prompt: str = PROMPT, *, client: httpx.Client | None = None, **fields) -> Answer:
    """One request for text, waited for until it ends, by itself or because the service is gone.

    Args:
        url: of the service.
        prompt: read first.
        client: to use an open connection.
        fields: of :class:`utils.serving.asked.Asked`.
    """
    with contextlib.ExitStack() as stack:
        client = client or stack.enter_context(httpx.Client(timeout=None, trust_env=False))
        with client.stream("POST", f"{url}/generate", json={"prompt": prompt, **fields}) as response:
            reading = _Reading(response.status_code)
            try:
                for line in response.iter_lines():
                    reading.line(line)
            except (httpx.ReadError, httpx.RemoteProtocolError) as error:
                reading.cut(error)
            return reading.answer()


def closed_loop(url: str, clients: int, requests: int, *, prompt: str = PROMPT, **fields) -> pd.DataFrame:
    """Clients that each ask again when their answer has ended, until so many requests have been answered.

    Args:
        url: of the service.
        clients: how many at once.
        requests: how many in all.
        prompt, fields: as of :func:`ask`; the seed counts up from the one given, or from 0.

    Returns:
        A row for each request in the order in which they began: ``begun`` and ``ended`` in seconds since the first,
        and the fields of :class:`Answer`.
    """

    async def all_of_them(client: httpx.AsyncClient) -> list[dict]:
        numbers, started, rows = iter(range(requests)), time.perf_counter(), []

        async def one_client() -> None:
            for number in numbers:
                rows.append(await _timed(client, url, prompt, _numbered(fields, number), started))

        await asyncio.gather(*(one_client() for _ in range(clients)))
        return rows

    return _run(all_of_them, clients)


def open_loop(url: str, rate: float, requests: int, *, seed: int = 0, prompt: str = PROMPT, **fields) -> pd.DataFrame:
    """Requests that come at random times, whether or not earlier ones have been answered.

    Args:
        url: of the service.
        rate: requests a second in the mean; the time between two is exponentially distributed.
        requests: how many.
        seed: of the times.
        prompt, fields: as of :func:`closed_loop`.

    Returns:
        As of :func:`closed_loop`.
    """
    arrivals = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, size=requests))

    async def all_of_them(client: httpx.AsyncClient) -> list[dict]:
        started = time.perf_counter()

        async def one_request(number: int) -> dict:
            await asyncio.sleep(started + arrivals[number] - time.perf_counter())
            return await _timed(client, url, prompt, _numbered(fields, number), started)

        return await asyncio.gather(*map(one_request, range(requests)))

    return _run(all_of_them, requests)


def percentiles(seconds: Sequence[float], of: Sequence[float] = (50, 95, 99)) -> dict[str, float]:
    """``{"p50": ..., "p95": ..., "p99": ...}`` in milliseconds; what is NaN does not count."""
    seconds = np.asarray(seconds, dtype=float)
    return {f"p{each:g}": 1000 * float(np.nanpercentile(seconds, each)) for each in of}


def characters_a_second(table: pd.DataFrame) -> float:
    """Of all clients together, from the first request to the end of the last."""
    return table["text"].str.len().sum() / (table["ended"].max() - table["begun"].min())


async def _timed(client: httpx.AsyncClient, url: str, prompt: str, fields: dict, started: float) -> dict:
    begun = time.perf_counter() - started
    async with client.stream("POST", f"{url}/generate", json={"prompt": prompt, **fields}) as response:
        reading = _Reading(response.status_code)
        async for line in response.aiter_lines():
            reading.line(line)
    answer = reading.answer()
    return {"begun": begun, "ended": begun + answer.seconds, **answer._asdict()}


class _Reading:
    """The lines of an answer as they come."""

    def __init__(self, status: int) -> None:
        self.status, self._name, self._pieces, self._events, self._times = status, None, [], [], []
        self._started = time.perf_counter()

    def line(self, line: str) -> None:
        if line.startswith("event: "):
            self._name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if self._name is None:
                self._times.append(time.perf_counter())
                self._pieces.append(data["text"])
            else:
                self._events.append((self._name, data))
            self._name = None
        elif line.startswith("{"):
            self._events.append(("refused", json.loads(line).get("error", {})))

    def cut(self, error: Exception) -> None:
        self._events.append(("cut", {"message": str(error)}))

    def answer(self) -> Answer:
        first = self._times[0] - self._started if self._times else float("nan")
        seconds = time.perf_counter() - self._started
        return Answer(self.status, "".join(self._pieces), self._events, first, np.diff(self._times), seconds)


def _numbered(fields: dict, number: int) -> dict:
    return fields | {"seed": fields.get("seed", 0) + number}


def _run(work: Callable[[httpx.AsyncClient], Coroutine], connections: int) -> pd.DataFrame:
    """Do it in an event loop of its own, in a thread: a notebook has one already."""

    async def with_client() -> list[dict]:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        async with httpx.AsyncClient(timeout=None, trust_env=False, limits=limits) as client:
            return await work(client)

    with ThreadPoolExecutor(1) as thread:
        rows = thread.submit(asyncio.run, with_client()).result()
    return pd.DataFrame(sorted(rows, key=lambda row: row["begun"]))
