"""Whole texts from an engine and a way to choose: of a given length, or until they end."""

from collections.abc import Sequence

import numpy as np

from utils.generation.batching import Batcher, Request
from utils.generation.engine import Engine
from utils.generation.sampling import Rule, choose


def generate(
    engine: Engine, prompts, steps: int, rules: Sequence[Rule] = (), *, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Read a prompt in each stream and go on for some symbols; the state is carried, nothing is read twice.

    Taught in lesson 13.

    Args:
        engine: of the model.
        prompts: shape (streams, time), at least one step.
        steps: symbols to make.
        rules: of :mod:`utils.generation.sampling`, applied in this order.
        rng: draws the symbols; without it each is the likeliest.

    Returns:
        Shape (streams, steps), without the prompts.

    Raises:
        ValueError: fewer than one step, or prompts that the engine cannot read.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    logits, state = engine.read(prompts)
    logits, made = logits[:, -1], []  # (streams, vocabulary)
    for step in range(steps):
        made.append(choose(logits, rules, None if rng is None else rng.random(len(logits))))  # (streams,)
        if step < steps - 1:
            logits, state = engine.step(state, made[-1])
    return np.stack(made, axis=1)


def generate_until(
    engine: Engine,
    prompt,
    end: int,
    count: int,
    rules: Sequence[Rule] = (),
    *,
    rng: np.random.Generator | None = None,
    streams: int = 64,
    longest: int = 1000,
) -> list[np.ndarray]:
    """Texts that end by themselves. A stream whose text has ended begins the next one while the others go on.

    Waiting for the longest text of a batch would leave most streams idle.

    Args:
        engine: of the model.
        prompt: read before each text, shape (time,), at least one symbol.
        end: the symbol that ends a text.
        count: how many texts.
        rules, rng: as in :func:`generate`.
        streams: texts in work at once.
        longest: a text that has not ended by then is cut off.

    Returns:
        ``count`` arrays of shape (time,), in the order in which they were begun, each with its ``end`` where it came to
        it, without the prompt.

    Raises:
        ValueError: a count, a number of streams or a length below 1.
    """
    if min(count, streams, longest) < 1:
        raise ValueError(f"count is {count}, streams {streams} and longest {longest}; expected at least 1 of each.")
    *before, last = prompt
    state = engine.read([before])[1] if before else None  # read once for all
    numbers = iter(rng.random, None) if rng is not None else None
    batcher = Batcher(engine, streams)
    texts = [batcher.submit(Request([last], longest, rules, end=end, state=state), numbers) for _ in range(count)]
    batcher.run()
    return [np.array(text.symbols) for text in texts]
