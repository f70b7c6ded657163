"""Beam search: the likeliest continuations that a search of limited width finds."""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from utils.generation.engine import Engine, State


class Hypothesis(NamedTuple):
    """A continuation, without what was read before it."""

    symbols: tuple[int, ...]
    log_probability: float  # natural logarithm
    score: float  # what hypotheses are ranked by: the log-probability over the length penalty


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6) ** alpha, by which a log-probability is divided (Wu et al. 2016, equation 14).

    With ``alpha`` 0 it is 1: every further symbol makes a text less likely, so short texts win.
    """
    return ((5 + length) / 6) ** alpha


def beam_search(
    engine: Engine,
    state: State,
    logits: np.ndarray,
    *,
    width: int,
    steps: int,
    end: int | None = None,
    alpha: float = 0.0,
) -> list[Hypothesis]:
    """The best continuations of one text, best first.

    At every step each hypothesis is continued by every symbol, and the ``width`` likeliest results stay. One that ends
    with ``end`` is put aside and takes up no more room. With a width of the vocabulary to the power of ``steps`` the
    search is exhaustive; with a width of 1 it is greedy.

    Args:
        engine: of the model.
        state: after the text, of one stream.
        logits: of the next symbol, shape (vocabulary,).
        width: hypotheses that are followed at once.
        steps: symbols of the longest continuation.
        end: the symbol that ends a text; none when not given.
        alpha: strength of the length penalty; the same for all while they are of equal length, so that it decides
            between finished and unfinished hypotheses only at the end.

    Returns:
        At most ``width`` hypotheses, finished or of ``steps`` symbols.

    Raises:
        ValueError: a width or a number of steps below 1, more than one stream, logits of another shape, an ``end`` that
            is no symbol.
    """
    if width < 1 or steps < 1:
        raise ValueError(f"width is {width} and steps is {steps}; expected at least 1 of each.")
    if end is not None and end not in range(engine.outputs):
        raise ValueError(f"end is {end!r}; expected one of the symbols 0 to {engine.outputs - 1}, or None.")
    logits = np.asarray(logits)
    if state.streams != 1 or logits.shape != (engine.outputs,):
        raise ValueError(
            f"state has {state.streams} streams and logits the shape {logits.shape}; "
            f"expected one stream and ({engine.outputs},)."
        )
    texts, so_far, finished = [()], np.zeros(1), []
    logits = logits[None]
    for step in range(steps):
        chances = so_far[:, None] + log_softmax(logits.astype(float), axis=-1)  # (hypotheses, vocabulary)
        best = np.argsort(-chances, axis=None, kind="stable")[:width]
        parents, symbols = np.unravel_index(best, chances.shape)
        so_far = chances[parents, symbols]
        texts = [(*texts[parent], int(symbol)) for parent, symbol in zip(parents, symbols, strict=True)]
        ended = symbols == end if end is not None else np.zeros(len(symbols), bool)
        finished += [_hypothesis(texts[i], so_far[i], alpha) for i in np.flatnonzero(ended)]
        alive = np.flatnonzero(~ended)
        if step == steps - 1 or len(alive) == 0:
            finished += [_hypothesis(texts[i], so_far[i], alpha) for i in alive]
            break
        texts, so_far = [texts[i] for i in alive], so_far[alive]
        logits, state = engine.step(state.take(parents[alive]), symbols[alive])
    return sorted(finished, key=lambda hypothesis: -hypothesis.score)[:width]


def _hypothesis(symbols: tuple[int, ...], log_probability: float, alpha: float) -> Hypothesis:
    return Hypothesis(symbols, float(log_probability), float(log_probability / length_penalty(len(symbols), alpha)))
