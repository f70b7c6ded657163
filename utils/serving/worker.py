"""The engine at work in a thread of its own, so that the event loop always has time for an answer.

A step of the engine takes a fraction of a millisecond, but thousands follow each other without a break. In the event
loop they would hold up every other request; here they only share the processor with it. The loop tells the thread what
to do through a queue. The thread tells the loop of each stream every few milliseconds what has been written, since an
event costs more than a character; and of one stream after the other, so that the loop is never busy for long.
"""

import asyncio
import collections
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from threadpoolctl import threadpool_limits

from utils.generation.batching import Batcher, Request, Stream
from utils.generation.engine import Engine, State

TICK = 0.004  # seconds between two deliveries, each of some streams
SHORTEST = 0.008  # seconds between two deliveries of one stream
PER_STREAM = 0.0004  # seconds: with many streams less often, since each costs the event loop a fifth of that


class News(NamedTuple):
    """What has come of a job since the last news.

    Attributes:
        symbols: written since.
        log_probabilities: of these, natural logarithms.
        snapshot: where it can be gone on from, as :meth:`Batcher.snapshot`, at the end of a chunk and of the job.
        ended: why it has ended, or None.
    """

    symbols: list[int]
    log_probabilities: list[float]
    snapshot: tuple[State, list[int]] | None = None
    ended: str | None = None


class Job:
    """A request on its way through the worker."""

    def __init__(self, request: Request, pace: float | None = None, chunk: int | None = None) -> None:
        """Describe what is to be done; :meth:`Worker.submit` does it.

        Args:
            request: what to write.
            pace: characters a second at most; as many as possible when not given.
            chunk: after so many characters a snapshot is taken, and the job waits for :meth:`Worker.go_on`.
        """
        self.request, self.pace, self.chunk = request, pace, chunk
        self.stream: Stream | None = None  # from when the worker has it
        self.marked = bool(pace or chunk)
        self._told = 0  # symbols in the news so far
        self._waits_for: set[str] = set()
        self._news: asyncio.Queue[News] = asyncio.Queue()

    async def news(self) -> News:
        """The next news, all that have come together up to a snapshot or the end."""
        news = await self._news.get()
        while news.snapshot is None and news.ended is None and not self._news.empty():
            more = self._news.get_nowait()
            news = News(news.symbols + more.symbols, news.log_probabilities + more.log_probabilities, *more[2:])
        return news


class Worker:
    """A batcher in a thread.

    Its methods are called from the event loop and return at once.

    Attributes:
        batcher: to be looked at only.
        failed: what ended the thread, where it has not ended by :meth:`close`.
    """

    def __init__(self, engine: Engine, slots: int) -> None:
        self.batcher = Batcher(engine, slots)
        self.failed: BaseException | None = None
        self._inbox: collections.deque[Callable[[], None]] = collections.deque()
        self._wake = threading.Event()
        self._jobs: dict[Stream, Job] = {}
        self._turns: collections.deque[Job] = collections.deque()  # in which they are told of
        self._due: list[tuple[float, int, Job]] = []  # those who keep a pace, a heap by when they go on
        self._number = itertools.count()
        self._marked = 0  # jobs that are looked at after every character
        self._told = 0.0  # when news were last told
        self._owed = 0.0  # jobs to be told of since
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to work for the event loop that is running."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a job into the queue.

        Raises:
            RuntimeError: the thread has failed.
        """
        if self.failed:
            raise RuntimeError(f"The engine has stopped: {self.failed!r}") from self.failed
        self._tell(lambda: self._begin(job))

    def cancel(self, job: Job, reason: str) -> None:
        """End a job, unless it has ended or was never submitted; its last news says why."""
        self._tell(lambda: job.stream and self.batcher.cancel(job.stream, reason))

    def go_on(self, job: Job) -> None:
        """Let a job go on that waits at the end of a chunk."""
        self._tell(lambda: self._release(job, "chunk"))

    def close(self) -> None:
        """End the thread, once it has done what it was told."""
        self._tell(lambda: setattr(self, "_closed", True))
        self._thread.join()

    # ---- in the event loop

    def _tell(self, command: Callable[[], None]) -> None:
        self._inbox.append(command)
        self._wake.set()

    @staticmethod
    def _deliver(news: list[tuple[Job, News]]) -> None:
        for job, each in news:
            job._news.put_nowait(each)

    # ---- in the thread

    def _run(self) -> None:
        try:
            with threadpool_limits(1, "blas"):
                while not self._closed:
                    self._turn()
        except BaseException as error:  # whatever it is, nobody may wait for ever
            self.failed = error
            self._hand_over([(job, News([], [], None, "error")) for job in self._jobs.values()])
            raise

    def _turn(self) -> None:
        """One round: obey, step, tell."""
        while self._inbox:
            self._inbox.popleft()()
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            self._release(heapq.heappop(self._due)[2], "pace")
        rounds = self.batcher.rounds
        wrote = self.batcher.step()
        if self._marked:
            for stream in wrote:
                if not stream.ended:
                    self._after_a_character(self._jobs[stream], now)
        idle, since = self.batcher.rounds == rounds, now - self._told
        if idle or since >= TICK:
            self._owed += min(1.0, since / max(SHORTEST, PER_STREAM * len(self._jobs))) * len(self._jobs)
            turns = len(self._jobs) if idle else int(self._owed)
            self._report(turns)
            self._owed, self._told = max(0.0, self._owed - turns), now
        if idle and not (self._inbox or self._closed):
            self._wake.wait(self._due[0][0] - now if self._due else None)
            self._wake.clear()

    def _begin(self, job: Job) -> None:
        job.stream = self.batcher.submit(job.request)
        self._jobs[job.stream] = job
        self._turns.append(job)
        self._marked += job.marked

    def _after_a_character(self, job: Job, now: float) -> None:
        if job.pace:
            job._waits_for.add("pace")
            heapq.heappush(self._due, (now + 1 / job.pace, next(self._number), job))
        if job.chunk and len(job.stream.symbols) % job.chunk == 0:
            job._waits_for.add("chunk")
        job.stream.held = bool(job._waits_for)

    def _release(self, job: Job, reason: str) -> None:
        job._waits_for.discard(reason)
        job.stream.held = bool(job._waits_for)

    def _report(self, turns: int) -> None:
        """Tell what is new of so many jobs."""
        news = []
        for _ in range(turns):
            job = self._turns.popleft()
            stream = job.stream
            symbols, chances = stream.symbols[job._told :], stream.log_probabilities[job._told :]
            if symbols or stream.ended:
                job._told += len(symbols)
                whole = stream.ended or (symbols and "chunk" in job._waits_for)
                snapshot = self.batcher.snapshot(stream) if whole and job.chunk else None
                news.append((job, News(symbols, chances, snapshot, stream.ended)))
            if stream.ended:
                del self._jobs[stream]
                self._marked -= job.marked
            else:
                self._turns.append(job)
        if news:
            self._hand_over(news)

    def _hand_over(self, news: list[tuple[Job, News]]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, news)
