"""Many requests at once: each joins when there is room and leaves when its text ends, while the others go on.

A step costs little more for many streams than for one, since the weights are read once for all of them. So requests are
answered side by side. A bus that fills up, and lets nobody on before the last passenger has got off, drives mostly
empty seats (*static* batching); a lift lets people on and off at every floor (*continuous* batching). ::

    batcher = Batcher(engine, slots=64)
    streams = [batcher.submit(Request(vocabulary.encode(text), 200, seed=i)) for i, text in enumerate(prompts)]
    batcher.run()
    texts = [vocabulary.decode(stream.symbols) for stream in streams]

A text depends on its own request alone: it draws with random numbers of its own, and the engine computes its row to the
last bit as it would beside any others, see ``block`` of :meth:`utils.generation.engine.Engine.step`.
"""

import collections
import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from utils.generation.engine import Engine, State
from utils.generation.sampling import Rule, choose, uniforms

BLOCK = 8  # rows of a step that are multiplied at a time; of so many all libraries tried sum each in the same order


class Request(NamedTuple):
    """What is to be written.

    Attributes:
        prompt: symbols that are read first, at least one.
        length: symbols to write at most.
        rules: of :mod:`utils.generation.sampling`, applied in this order. Streams whose rules are the same objects are
            drawn together, which is quicker.
        seed: of the text's own random numbers, :func:`utils.generation.sampling.uniforms`; without it every symbol is
            the likeliest.
        end: the symbol that ends the text, and is written; none when not given.
        state: of one stream, before the prompt; that of :meth:`Engine.start` when not given.
    """

    prompt: Sequence[int]
    length: int
    rules: Sequence[Rule] = ()
    seed: int | None = None
    end: int | None = None
    state: State | None = None


class Stream:
    """A request in work, and what has come of it.

    Attributes:
        request: what was asked.
        symbols: what has been written so far.
        log_probabilities: of these under the network, before any rule; natural logarithms.
        read_log_probabilities: of what was read, but for the first symbol, before which nothing was expected.
        ended: None while it goes on, then ``"length"``, ``"end"`` or what :meth:`Batcher.cancel` was told.
        held: whether it is to wait; may be set.
    """

    def __init__(self, batcher: "Batcher", request: Request, numbers: Iterator[float] | None) -> None:
        self._batcher, self.request = batcher, request
        self.symbols: list[int] = []
        self.log_probabilities: list[float] = []
        self.read_log_probabilities: list[float] = []
        self.ended: str | None = None
        self._held = False
        self._numbers = numbers
        self._kind = (numbers is not None, *request.rules)
        self._prompt = collections.deque(int(symbol) for symbol in request.prompt)  # as far as it has not been read
        self._left: State | None = None  # when it has ended

    @property
    def held(self) -> bool:
        return self._held

    @held.setter
    def held(self, value: bool) -> None:
        if value != self._held:
            self._held, self._batcher._plan = value, None

    @property
    def unread(self) -> list[int]:
        """Symbols that the network is to read next, at least one."""
        return list(self._prompt) or self.symbols[-1:]


class Batcher:
    """Answers requests side by side on one engine.

    Taught in lesson 14.

    Nothing happens between calls, and it is to be called from one thread.

    Attributes:
        waiting: streams that have not begun, in the order in which they will.
        rounds: how often the engine was called, each time for all streams in work.
        steps: symbols read, of all streams together: over ``rounds`` the mean number of streams in work.
    """

    def __init__(self, engine: Engine, slots: int = 64, *, continuous: bool = True) -> None:
        """Answer nothing yet.

        Args:
            engine: an :class:`Engine`, or whatever has its ``vocabulary``, ``start`` and ``step``; how exactly a text
                is the same beside others is then up to that.
            slots: streams in work at once.
            continuous: a stream that has ended makes room for the next at once. Otherwise its row is computed in vain
                until the longest has ended, and then the next ones begin together (static batching), for comparison.

        Raises:
            ValueError: less than one slot.
        """
        if slots < 1:
            raise ValueError(f"slots is {slots}; expected at least 1.")
        self.engine, self.slots, self.continuous = engine, slots, continuous
        self.waiting: collections.deque[Stream] = collections.deque()
        self.rounds = self.steps = 0
        self._rows: list[Stream | None] = []  # None: left since the last step
        self._state = engine.start(BLOCK)  # of each row, then idle ones up to a multiple of the block
        self._step = functools.partial(engine.step, block=BLOCK) if isinstance(engine, Engine) else engine.step
        self._plan: _Plan | None = None  # of the step before, while it holds

    @property
    def streams(self) -> list[Stream]:
        """Those in work, at most ``slots``."""
        return [stream for stream in self._rows if stream is not None]

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing: nobody waits who would be let in, and those in work are held."""
        streams = self.streams
        room = len(streams) < self.slots if self.continuous else not streams
        return not (self.waiting and room) and all(stream.held for stream in streams)

    def submit(self, request: Request, numbers: Iterator[float] | None = None) -> Stream:
        """Put a request into the queue.

        Args:
            request: what to write.
            numbers: random numbers in [0, 1) to draw with instead of those of the request's seed, one a symbol.

        Raises:
            ValueError: nothing to read, symbols that the engine does not know, a length below 1, a seed that is none,
                or the state of several streams.
        """
        prompt, known = np.asarray(request.prompt), range(self.engine.vocabulary)
        if prompt.ndim != 1 or not prompt.size or prompt.dtype.kind not in "iu":
            raise ValueError(
                f"prompt has the shape {prompt.shape} and holds {prompt.dtype}; expected whole numbers, (time,), "
                "at least one."
            )
        if prompt.min() not in known or prompt.max() not in known:
            raise ValueError(f"prompt holds {prompt.min()} to {prompt.max()}; expected 0 to {known[-1]}.")
        if request.length < 1:
            raise ValueError(f"length is {request.length}; expected at least 1.")
        if request.end is not None and request.end not in known:
            raise ValueError(f"end is {request.end!r}; expected one of the symbols 0 to {known[-1]}, or None.")
        if request.state is not None and request.state.streams != 1:
            raise ValueError(f"state has {request.state.streams} streams; expected one.")
        if numbers is None and request.seed is not None:
            numbers = iter(uniforms(request.seed, request.length))
        stream = Stream(self, request, numbers)
        self.waiting.append(stream)
        return stream

    def cancel(self, stream: Stream, reason: str = "cancelled") -> None:
        """End a stream; its slot is free from the next step on. One that has ended stays as it was."""
        if stream in self._rows:
            self._leave(stream, reason)
        elif not stream.ended:
            self.waiting.remove(stream)
            stream.ended, stream._left = reason, stream.request.state or self.engine.start()

    def snapshot(self, stream: Stream) -> tuple[State, list[int]]:
        """What it takes to go on elsewhere: a state of one stream, and the symbols to be read next, at least one.

        A request with this state and a prompt that begins with these symbols goes on where the stream is.
        """
        if stream.ended:
            state = stream._left
        elif stream in self._rows:
            state = self._state.take([self._rows.index(stream)])
        else:
            state = stream.request.state or self.engine.start()
        return state, stream.unread

    def step(self) -> list[Stream]:
        """Let streams in, and every stream in work that is not held read one symbol and choose the next.

        Returns:
            The streams that have written a symbol. Those that ended with it have left.
        """
        if self._plan is None or (self.waiting and len(self._rows) < self.slots):
            self._join()
            if self._plan is None:
                rows = [row for row, stream in enumerate(self._rows) if stream is not None and not stream.held]
                self._plan = _Plan(rows, [self._rows[row] for row in rows], len(self.streams), self._state.streams)
        plan = self._plan
        if not plan.rows:
            return []
        logits = self._advance(plan)  # (rows, vocabulary)
        self.rounds += 1
        self.steps += len(plan.rows)
        plan.next = chosen = plan.choose(logits)  # (rows,)
        relative = logits - logits.max(axis=1, keepdims=True)
        chances = (relative[plan.all, chosen] - np.log(np.exp(relative).sum(axis=1))).tolist()
        symbols = chosen.tolist()
        for i, stream in plan.reading:
            stream.read_log_probabilities.append(chances[i])
            if len(stream._prompt) == 1:  # when it has been read, the stream writes
                self._plan = None
        for i, stream in plan.writing:
            stream.symbols.append(symbols[i])
            stream.log_probabilities.append(chances[i])
        plan.left -= 1
        if plan.left <= 0 or plan.may_end:
            for stream in plan.writers:
                if stream.symbols[-1] == stream.request.end:
                    self._leave(stream, "end")
                elif len(stream.symbols) == stream.request.length:
                    self._leave(stream, "length")
        return plan.writers

    def run(self) -> None:
        """Step until nothing is left to do, with one thread of BLAS: two wait for each other longer than they work."""
        with threadpool_limits(1, "blas"):
            before = -1
            while self.rounds > before:  # the last step does nothing
                before = self.rounds
                self.step()

    def _join(self) -> None:
        """Let those who wait take the rows of those who left, or rows of their own, and close the gaps."""
        going = len(self.streams)
        room = self.slots - going if self.continuous or not going else 0
        begun = [self.waiting.popleft() for _ in range(min(room, len(self.waiting)))]
        if not begun and (going == len(self._rows) or (going and not self.continuous)):
            return
        new, order, stay = iter(begun), [], []  # streams by row, and for each that stays the new row and the old
        for row, stream in enumerate(self._rows):
            if stream is not None:
                stay.append((len(order), row))
                order.append(stream)
            elif (stream := next(new, None)) is not None:
                order.append(stream)
        order += new
        size = max(BLOCK, len(order) + -len(order) % BLOCK)
        if size == self._state.streams and all(to == row for to, row in stay):  # everybody stays where he is
            fresh = sorted(set(range(len(order))) - {row for row, _ in stay})
            state = self._state.refill(fresh, self.engine.start(len(fresh))) if fresh else self._state
        else:
            state = self.engine.start(size)
            if stay:
                to, rows = zip(*stay, strict=True)
                state = state.refill(to, self._state.take(rows))
        for stream in begun:
            if stream.request.state is not None:
                state = state.refill([order.index(stream)], stream.request.state)
        self._rows, self._state, self._plan = order, state, None

    def _advance(self, plan: "_Plan") -> np.ndarray:
        """One step of some rows; those that are held stay as they are. Logits of shape (rows, vocabulary)."""
        if plan.is_whole:
            logits, self._state = self._step(self._state, plan.next)
            return logits
        rows, symbols = plan.rows, plan.next
        if plan.none_is_held:
            whole = np.zeros(self._state.streams, int)
            whole[rows] = symbols
            logits, self._state = self._step(self._state, whole)
            return logits[rows]
        idle = -len(rows) % BLOCK
        logits, state = self._step(self._state.take(rows + rows[:1] * idle), np.append(symbols, np.zeros(idle, int)))
        self._state = self._state.refill(rows, state.take(range(len(rows))))
        return logits[: len(rows)]

    def _leave(self, stream: Stream, reason: str) -> None:
        row = self._rows.index(stream)
        stream.ended, stream._left = reason, self._state.take([row])
        self._rows[row] = self._plan = None


class _Plan:
    """Who reads and who writes in a step. It holds until somebody comes, goes, is held or has read his prompt."""

    def __init__(self, rows: list[int], streams: list[Stream], going: int, size: int) -> None:
        """Lay it out.

        Args:
            rows: of those who take part.
            streams: they themselves.
            going: streams in work, with those that are held.
            size: rows of the state, with idle ones.
        """
        self.rows, self.all = rows, np.arange(len(rows))
        self.none_is_held, self.is_whole = len(rows) == going, len(rows) == size
        self.next = np.array([stream._prompt[0] if stream._prompt else stream.symbols[-1] for stream in streams])
        self.reading = [(i, stream) for i, stream in enumerate(streams) if len(stream._prompt) > 1]
        self.writing = [(i, stream) for i, stream in enumerate(streams) if len(stream._prompt) <= 1]
        self.writers = [stream for _, stream in self.writing]
        self.left = min([stream.request.length - len(stream.symbols) for stream in self.writers], default=0)
        self.may_end = any(stream.request.end is not None for stream in self.writers)
        groups = collections.defaultdict(list)  # alike in their rules, and in whether they draw
        for i, stream in self.writing:
            groups[stream._kind].append(i)
        self._groups = [
            (np.array(group), rules, [streams[i]._numbers for i in group] if drawn else None)
            for (drawn, *rules), group in groups.items()
        ]

    def choose(self, logits: np.ndarray) -> np.ndarray:
        """What each stream, having read a symbol, is to read next: more of its prompt, or what it now writes."""
        for stream in self.writers:
            stream._prompt.clear()
        symbols = np.empty(len(self.rows), int)
        for i, stream in self.reading:
            stream._prompt.popleft()
            symbols[i] = stream._prompt[0]
        for group, rules, numbers in self._groups:
            drawn = None if numbers is None else np.array([next(number) for number in numbers])
            if len(group) == len(logits):
                return choose(logits, rules, drawn)
            symbols[group] = choose(logits[group], rules, drawn)
        return symbols
