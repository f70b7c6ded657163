"""The service: who may ask, what is asked, and a stream of events in answer.

========================= ==========================================================================================
``POST /generate``        a text in server-sent events; the fields are those of :class:`utils.serving.asked.Asked`
``POST /stop``            ``{"stream": "..."}`` ends a stream where it is; what has been written is kept
``GET /health``           200 while requests are taken, 503 while the service drains or when its engine has stopped
``GET /metrics``          for Prometheus
``GET /``                 a page that talks to the service
========================= ==========================================================================================

Events of a text, each with an object in JSON: ``start`` (the ``stream``, its ``seed``, ``unknown`` characters that were
read as spaces, and of a conversation its name, how many ``characters`` it has and the ``tail`` of them), then without a
name the ``text`` as it comes, with ``bits`` if asked; ``kept`` and ``not_kept`` say how many ``characters`` of the
conversation are on disk; ``doubt`` says that a person should look; ``end`` says why it ended.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from utils.generation import batching
from utils.generation.stored import Stored
from utils.serving.asked import LARGEST_BODY, Asked, Limits, Refused, rules_of, understand
from utils.serving.conversations import TAIL, Conversation, Conversations
from utils.serving.filtering import OutputFilter
from utils.serving.metrics import Metrics
from utils.serving.worker import Job, News, Worker

PAGE = Path(__file__).parent / "page.html"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
RETRY_AFTER = "1"  # seconds
PATIENCE = 10.0  # seconds for a body to arrive, and for a client to take what was written
HEARD = 20  # characters of an incoming text from which on its loss says something
JUDGED = 100  # characters of a text from which on it is judged
LONGEST_UNKNOWN = 50  # characters that are named


class Service:
    """What answers, from one engine.

    Attributes:
        app: for an ASGI server.
        room: texts in work and in the queue, at most.
        draining: whether new requests for text are refused, because the service is about to end.
    """

    def __init__(
        self,
        stored: Stored,
        states: str | Path,
        *,
        streams: int = 64,
        queue: int | None = None,
        words: Sequence[str] = (),
        doubt: float = -2.0,
        monitor=None,
        longest: int = 20_000,
        deadline: float = 120.0,
        chunk: int = 200,
        hosts: Sequence[str] = ("*",),
    ) -> None:
        """Prepare to answer; the engine starts with the server.

        Args:
            stored: engine and vocabulary, see :func:`utils.generation.stored.load_engine`.
            states: folder of the conversations.
            streams: texts in work at once.
            queue: requests that wait for one of them; as many when not given. Beyond that the answer is 429.
            words: may not be said, see :class:`utils.serving.filtering.OutputFilter`.
            doubt: a text with a lower mean log-probability a character is one that a person should look at.
            monitor: of drift: ``add(loss)`` is told the loss of the model on each incoming text, in nats a character;
                ``score`` and ``drifting`` are shown under ``/metrics``.
            longest: characters that one request may ask for.
            deadline: seconds that one request may take.
            chunk: characters of a conversation after which its state is written to disk.
            hosts: names by which the service may be called; ``*`` is any.

        Raises:
            ValueError: a number below 1, or a word that is none.
            OSError: the folder cannot be made.
        """
        queue = streams if queue is None else queue
        if min(streams, longest, chunk) < 1 or queue < 0 or deadline <= 0:
            raise ValueError(
                f"streams is {streams}, longest {longest}, chunk {chunk}, queue {queue} and deadline {deadline}; "
                "expected at least 1 of the first three, a queue of at least 0 and a deadline above 0."
            )
        OutputFilter(words)  # refuses in words
        self._engine, self._vocabulary, _ = stored
        self._number = {character: i for i, character in enumerate(self._vocabulary.characters)}
        self.room, self._words, self._doubt, self._chunk = streams + queue, tuple(words), doubt, chunk
        self._limits = Limits(longest, deadline)
        self._monitor = monitor
        self._conversations = Conversations(states, self._engine)
        self._worker = Worker(self._engine, streams)
        self._metrics = Metrics(self._worker, monitor)
        self._keepers = ThreadPoolExecutor(4, "keeper")  # the disk may be slow
        self._open: dict[str, Job | None] = {}  # by the name of the stream
        self._busy: set[str] = set()  # conversations with a stream
        self.draining = False
        self._when_drained: Callable[[], None] | None = None
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/generate", self._generate, methods=["POST"]),
                Route("/stop", self._stop, methods=["POST"]),
                Route("/health", self._health),
                Route("/metrics", self._show_metrics),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
            exception_handlers={Refused: _refused, HTTPException: _not_there},
            lifespan=self._lifespan,
        )

    # ---- its life

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._worker.start()
        yield
        self._worker.close()
        self._keepers.shutdown()

    def drain(self, then: Callable[[], None], limit: float) -> None:
        """Refuse new texts, let those in work end, and then call back.

        Args:
            then: called in the event loop once no stream is left.
            limit: after so many seconds the rest is ended; a second call ends it at once.
        """
        if self.draining:
            self._end_all()
            return
        self.draining, self._when_drained = True, then
        asyncio.get_running_loop().call_later(limit, self._end_all)
        if not self._open:
            then()

    def _end_all(self) -> None:
        for job in filter(None, self._open.values()):
            self._worker.cancel(job, "shutdown")

    def _enter(self, stream: str, name: str | None) -> None:
        """A stream begins, perhaps of a conversation; what it does is still to be told."""
        self._open[stream] = None
        if name:
            self._busy.add(name)

    def _leave(self, stream: str, name: str | None) -> None:
        """A stream is no more; the last one ends a service that drains."""
        del self._open[stream]
        self._busy.discard(name)
        if self.draining and not self._open:
            self._when_drained()

    # ---- answers

    async def _page(self, _: Request) -> Response:
        return Response(PAGE.read_bytes(), media_type="text/html", headers={"content-security-policy": POLICY})

    async def _health(self, _: Request) -> Response:
        status = "failed" if self._worker.failed else "draining" if self.draining else "ok"
        batcher = self._worker.batcher
        found = {"status": status, "streams": len(batcher.streams), "waiting": len(batcher.waiting)}
        return _json(found, 200 if status == "ok" else 503)

    async def _show_metrics(self, _: Request) -> Response:
        return Response(self._metrics.page(), media_type="text/plain; version=0.0.4")

    async def _stop(self, request: Request) -> Response:
        body = await _body(request)
        try:
            stream = json.loads(body)["stream"]
            job = self._open[stream]
        except (ValueError, RecursionError, TypeError) as error:
            raise Refused(
                422, "stream", body[:80].decode("utf-8", "replace"), f"the name of a stream ({error})"
            ) from None
        except KeyError:
            raise Refused(404, "stream", body[:80].decode("utf-8", "replace"), "a stream that is in work") from None
        self._worker.cancel(job, "stopped")
        return _json({"stopped": stream})

    async def _generate(self, request: Request) -> "_Events":
        try:
            events = await self._prepare(request)
        except Refused as error:
            self._metrics.answers.labels(error.status).inc()
            raise
        self._metrics.answers.labels(200).inc()
        return events

    async def _prepare(self, request: Request) -> "_Events":
        arrived = time.perf_counter()
        asked = understand(await _body(request), self._limits)
        if self.draining or self._worker.failed:
            raise Refused(503, "service", "ending" if self.draining else "stopped", "a service that takes requests")
        end = self._number.get(asked.end)
        if asked.end is not None and end is None:
            raise Refused(422, "end", asked.end, f"one of the characters {self._vocabulary.characters!r}")
        if len(self._open) >= self.room:
            raise Refused(429, "service", f"{len(self._open)} streams", f"at most {self.room} at once; try again later")
        name = self._conversations.name() if asked.conversation is True else asked.conversation
        if name in self._busy:
            raise Refused(409, "conversation", name, "one that no other stream goes on with; stop that one first")
        stream = secrets.token_hex(8)
        self._enter(stream, name)
        try:
            before = await self._load(name) if asked.conversation not in (None, True) else None
            prompt, unknown = self._read(asked, before)
        except BaseException:
            self._leave(stream, name)
            raise
        seed = None if asked.greedy else secrets.randbelow(2**32) if asked.seed is None else asked.seed
        unread, state = ([], None) if before is None else (before.unread, before.state)
        symbols = [*unread, *(self._number[character] for character in prompt)]
        wanted = batching.Request(symbols, asked.length, rules_of(asked.rules), seed, end, state)
        job = self._open[stream] = Job(wanted, asked.pace, self._chunk if name else None)
        told = {"stream": stream, "seed": seed, "unknown": unknown[:LONGEST_UNKNOWN]}
        return _Events(self, arrived, asked, job, told, prompt, name, before)

    async def _load(self, name: str) -> Conversation:
        """Where a conversation stands."""
        try:
            return await self._aside(self._conversations.load, name)
        except FileNotFoundError:
            raise Refused(404, "conversation", name, "the name of one that is kept here") from None
        except (ValueError, OSError) as error:
            raise Refused(422, "conversation", name, f"one whose state can be read. {error}") from None

    def _read(self, asked: Asked, before: Conversation | None) -> tuple[str, list[str]]:
        """The prompt in characters that the network knows, and those that it does not."""
        if not asked.prompt and before is None:
            raise Refused(422, "prompt", asked.prompt, "at least one character, unless a conversation goes on")
        unknown = sorted({character for character in asked.prompt if character not in self._number})
        if unknown and " " not in self._number:
            raise Refused(422, "prompt", unknown[0], f"the characters {self._vocabulary.characters!r} only")
        return "".join(c if c in self._number else " " for c in asked.prompt), unknown

    async def _aside(self, function: Callable, *arguments):
        """Do what may wait for the disk in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._keepers, function, *arguments)


def losses(stored: Stored, texts: Sequence[str]) -> list[float]:
    """The loss of the model on each text, in nats a character, as a service tells it to a monitor of drift.

    Args:
        stored: of the service.
        texts: such as have come while all was well; those of 20 characters or fewer are left out, as by the service.
    """
    number = {character: i for i, character in enumerate(stored.vocabulary.characters)}
    batcher = batching.Batcher(stored.engine)
    for text in texts:
        if len(text) > HEARD:
            batcher.submit(batching.Request([number.get(character, number.get(" ", 0)) for character in text], 1))
    streams = list(batcher.waiting)
    batcher.run()
    return [-float(np.mean(stream.read_log_probabilities)) for stream in streams]


class _Events:
    """The answer to a request for text: an ASGI application that sends events until the text ends.

    A client that has gone is noticed at once, and its stream cancelled; the last news then comes like any other.
    """

    def __init__(
        self,
        service: Service,
        arrived: float,
        asked: Asked,
        job: Job,
        told: dict,
        prompt: str,
        name: str | None,
        before: Conversation | None,
    ) -> None:
        self._service, self._arrived, self._asked, self._job, self._told = service, arrived, asked, job, told
        self._name = name
        tail, self._characters = (before.tail, before.characters) if before else ("", 0)
        masked = OutputFilter(service._words)
        self._told_tail = masked.add(tail) + masked.end()
        self._tail = (tail + prompt)[-TAIL:]
        self._characters += len(prompt)
        self._filter = OutputFilter(service._words, before=tail + prompt)
        self._bits: list[float] = []  # of characters that the filter holds back
        self._sum, self._count, self._written, self._doubted = 0.0, 0, 0, False

    async def __call__(self, scope, receive, send) -> None:
        service, job = self._service, self._job
        worker = service._worker
        gone = asyncio.ensure_future(_gone(receive))
        deadline = None
        try:
            worker.submit(job)
            gone.add_done_callback(lambda _: worker.cancel(job, "gone"))
            deadline = asyncio.get_running_loop().call_later(self._asked.deadline, worker.cancel, job, "deadline")
            async with asyncio.timeout(self._asked.deadline + PATIENCE):  # or a client that never reads would stay
                await self._talk(send)
        except TimeoutError:
            service._metrics.ended.labels("stuck").inc()
        finally:
            if deadline:
                deadline.cancel()
            gone.cancel()
            worker.cancel(job, "gone")  # unless it has ended
            service._leave(self._told["stream"], self._name)

    async def _talk(self, send) -> None:
        metrics = self._service._metrics
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        conversation = {"conversation": self._name, "characters": self._characters, "tail": self._told_tail}
        await self._send(send, _event("start", self._told | (conversation if self._name else {})))
        last, news = None, News([], [])
        while not news.ended:
            news = await self._job.news()
            events = self._text(news)
            if news.symbols:
                now = time.perf_counter()
                metrics.gaps.observe(now - last) if last else metrics.first.observe(now - self._arrived)
                last = now
            if events:
                await self._send(send, events)
            if news.snapshot:
                await self._send(send, await self._keep(news))
        metrics.ended.labels(news.ended).inc()
        said = {"reason": news.ended, "written": self._written}
        if self._count:
            said["mean_log_probability"] = round(self._sum / self._count, 3)
        await send({"type": "http.response.body", "body": _event("end", said), "more_body": False})

    @staticmethod
    async def _send(send, events: bytes) -> None:
        await send({"type": "http.response.body", "body": events, "more_body": True})

    def _text(self, news: News) -> bytes:
        """Events that say what has been written, and whether it is to be believed."""
        service, metrics = self._service, self._service._metrics
        if news.symbols and not self._written:
            self._heard(self._job.stream.read_log_probabilities)
        self._sum += sum(news.log_probabilities)
        self._count += len(news.log_probabilities)
        self._written += len(news.symbols)
        characters = service._vocabulary.characters
        text = "".join([characters[symbol] for symbol in news.symbols])
        self._tail = (self._tail + text)[-TAIL:]
        self._characters += len(text)
        masked = self._filter.masked
        said = self._filter.add(text) + (self._filter.end() if news.ended else "")
        metrics.characters.inc(len(text))
        if self._filter.masked > masked:
            metrics.masked.inc(self._filter.masked - masked)
        piece = {"text": said}
        if self._asked.bits:
            self._bits += [round(-chance / np.log(2), 1) for chance in news.log_probabilities]
            piece["bits"], self._bits = self._bits[: len(said)], self._bits[len(said) :]
        events = _event(None, piece) if said else b""
        if not self._doubted and self._count >= JUDGED and self._sum / self._count < service._doubt:
            self._doubted = True
            metrics.doubts.inc()
            if self._asked.in_doubt == "stop":
                service._worker.cancel(self._job, "doubt")
            message = (
                "The network finds this text unlikely, so what follows is not to be trusted. A person should look."
            )
            mean = round(self._sum / self._count, 3)
            events += _event("doubt", {"message": message, "mean_log_probability": mean, "limit": service._doubt})
        return events

    def _heard(self, chances: list[float]) -> None:
        """Take account of how the incoming text was expected."""
        self._sum += sum(chances)
        self._count += len(chances)
        if len(chances) >= HEARD:
            loss = -sum(chances) / len(chances)
            self._service._metrics.loss.observe(loss)
            if self._service._monitor is not None:
                self._service._monitor.add(loss)

    async def _keep(self, news: News) -> bytes:
        """Write where the conversation stands, let it go on, and tell what is on disk."""
        service = self._service
        conversation = Conversation(*news.snapshot, self._characters, self._tail)
        try:
            await service._aside(service._conversations.save, self._name, conversation)
        except OSError as error:
            service._metrics.not_kept.inc()
            return _event("not_kept", {"characters": self._characters, "why": str(error)})
        finally:
            service._worker.go_on(self._job)
        return _event("kept", {"characters": self._characters})


async def _gone(receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    """The body of a request, if it is JSON, small enough and here soon enough."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "content-type", kind, "application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST_BODY:
                    raise Refused(413, "body", f"more than {LARGEST_BODY} bytes", f"at most {LARGEST_BODY} bytes")
    except TimeoutError:
        raise Refused(408, "body", f"{len(body)} bytes in {PATIENCE:g} seconds", "all of it within that time") from None
    except ClientDisconnect:
        raise Refused(400, "body", f"{len(body)} bytes", "all of it") from None
    return bytes(body)


def _event(name: str | None, data: dict) -> bytes:
    return f"{f'event: {name}' + chr(10) if name else ''}data: {json.dumps(data)}\n\n".encode()


def _json(data: dict, status: int = 200, headers: dict | None = None) -> Response:
    return Response(json.dumps(data), status, headers, "application/json")


async def _refused(_: Request, error: Refused) -> Response:
    said = {"field": error.field, "got": error.got, "expected": error.expected}
    headers = {"retry-after": RETRY_AFTER} if error.status in (429, 503) else None
    if error.status in (408, 413):  # what is still to come of the body is not read
        headers = {"connection": "close"}
    return _json({"error": said}, error.status, headers)


async def _not_there(request: Request, error: HTTPException) -> Response:
    expected = {404: "one of /, /generate, /stop, /health, /metrics", 405: "POST for /generate and /stop, else GET"}
    got = {404: request.url.path, 405: request.method}.get(error.status_code, error.detail)
    field = {404: "path", 405: "method"}.get(error.status_code, "request")
    said = {"field": field, "got": got, "expected": expected.get(error.status_code, error.detail)}
    return _json({"error": said}, error.status_code, dict(error.headers or {}))
