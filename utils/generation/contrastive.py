"""Contrastive search: of the likeliest symbols the one whose state looks least like any state before.

Taught in lesson 15. Su et al. (2022), "A contrastive framework for neural text generation", equation 5; used without
retraining by Su and Collier (2022). It pays in two ways: each symbol costs a step for every candidate, and the state of
every symbol read has to be kept, though a recurrent network needs no more than the last.
"""

import numpy as np

from utils.generation.engine import Engine, State
from utils.generation.sampling import probabilities


def contrastive_search(engine: Engine, prompts, steps: int, *, k: int = 4, alpha: float = 0.6) -> np.ndarray:
    """Go on after a prompt in each stream. Nothing is drawn: the same prompts give the same texts.

    Of the ``k`` likeliest symbols v the one is written for which (1 - alpha) p(v) - alpha * (the largest cosine between
    h_v and an earlier state) is largest. h_v is what the highest recurrent layer hands on when v has been read. With
    ``alpha`` 0, or ``k`` 1, this is greedy.

    Args:
        engine: of the model.
        prompts: shape (streams, time), at least one step; their states count as earlier ones.
        steps: symbols to make.
        k: candidates, at most as many as the model has symbols.
        alpha: weight of the penalty.

    Returns:
        Shape (streams, steps), without the prompts.

    Raises:
        ValueError: fewer than one step, a ``k`` or an ``alpha`` that cannot be, prompts that the engine cannot read.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    if k != int(k) or not 1 <= k <= engine.outputs:
        raise ValueError(f"k is {k}; expected a whole number from 1 to the {engine.outputs} symbols of the model.")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; expected a share from 0, which is greedy, to 1.")
    before, logits, state = _read(engine, prompts)  # (streams, time, units), (streams, vocabulary)
    streams, time, units = before.shape
    kept = np.concatenate([before, np.empty((streams, steps, units), before.dtype)], axis=1)
    rows, made = np.arange(streams), []
    for step in range(steps):
        chances = probabilities(logits)  # (streams, vocabulary)
        candidates = np.argsort(-chances, axis=1, kind="stable")[:, :k]  # (streams, k)
        chances = np.take_along_axis(chances, candidates, axis=1)
        logits, after = engine.step(state.take(np.repeat(rows, k)), candidates.ravel())
        new = _unit(after.layers[-1][0]).reshape(streams, k, units)
        cosines = new @ kept[:, : time + step].transpose(0, 2, 1)  # (streams, k, time + step)
        chosen = np.argmax((1 - alpha) * chances - alpha * cosines.max(axis=2), axis=1)  # (streams,)
        kept[:, time + step] = new[rows, chosen]
        made.append(candidates[rows, chosen])
        state, logits = after.take(k * rows + chosen), logits[k * rows + chosen]
    return np.stack(made, axis=1)


def mean_cosine(engine: Engine, symbols) -> np.ndarray:
    """How alike the states within a text are: the mean cosine between two of them at different places.

    Near 1 all look alike, and a penalty on looking alike tells nothing apart: Su et al. (2022, figure 1) found more
    than 0.95 within the sentences of GPT-2. Taught in lesson 15.

    Args:
        engine: of the model.
        symbols: texts, shape (streams, time), at least two steps.

    Returns:
        Shape (streams,), for the highest recurrent layer.

    Raises:
        ValueError: fewer than two steps, or symbols that the engine cannot read.
    """
    states, _, _ = _read(engine, symbols)
    time = states.shape[1]
    if time < 2:
        raise ValueError(f"symbols has the shape {np.shape(symbols)}; expected (streams, time), at least two steps.")
    total = np.sum(states.sum(axis=1) ** 2, axis=1)  # of all pairs, each state with itself included
    return (total - np.sum(states**2, axis=(1, 2))) / (time * (time - 1))


def _read(engine: Engine, symbols) -> tuple[np.ndarray, np.ndarray, State]:
    """The state after every symbol at unit length, (streams, time, units), the last logits, the last state."""
    symbols = np.asarray(symbols)
    if symbols.ndim != 2 or 0 in symbols.shape:
        raise ValueError(f"The texts have the shape {symbols.shape}; expected (streams, time), at least one of both.")
    state, states = engine.start(len(symbols)), []
    for column in symbols.T:
        logits, state = engine.step(state, column)
        states.append(_unit(state.layers[-1][0]))
    return np.stack(states, axis=1), logits, state


def _unit(vectors: np.ndarray) -> np.ndarray:
    """At unit length; a vector of zeros stays one, at a right angle to all others."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.finfo(vectors.dtype).tiny)
