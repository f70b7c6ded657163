"""From the logits of a next symbol to the symbol: what may be drawn, and the draw.

A rule takes logits and returns logits: :func:`temperature` divides them, the others set what they cut to minus
infinity. Rules are applied in the order in which they are given, and the order matters: nucleus after temperature
keeps other symbols than nucleus before it. ::

    rules = [partial(temperature, t=0.8), partial(nucleus, p=0.95)]
    symbols = draw(logits, rules, uniforms=rng.random(len(logits)))

Everywhere: ``logits`` of shape (..., vocabulary), natural logarithms up to a constant; minus infinity is a symbol that
cannot come. No rule cuts all symbols. Of equally likely symbols the one with the lower number counts as the likelier.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import log_softmax

Rule = Callable[[np.ndarray], np.ndarray]


def temperature(logits: np.ndarray, t: float) -> np.ndarray:
    """Logits divided by ``t``: below 1 the likely gain, above 1 the unlikely (Ackley, Hinton and Sejnowski 1985).

    Raises:
        ValueError: ``t`` is not a positive number, or the logits cannot be drawn from (as in every function here).
    """
    if not (np.isfinite(t) and t > 0):
        raise ValueError(f"The temperature is {t}; expected a number above 0. For the likeliest symbol use greedy().")
    with np.errstate(over="ignore"):  # far below the likeliest a tiny temperature leaves nothing
        return _relative(logits) / t


def top_k(logits: np.ndarray, k: int) -> np.ndarray:
    """The ``k`` likeliest symbols (Fan, Lewis and Dauphin 2018); all of them where there are fewer.

    Raises:
        ValueError: ``k`` is not a whole number of at least 1.
    """
    if k != int(k) or k < 1:
        raise ValueError(f"k is {k}; expected a whole number of at least 1.")
    logits = _checked(logits)
    return _keep_first(logits, np.broadcast_to(int(k), logits.shape[:-1]), _likeliest_first(logits))


def nucleus(logits: np.ndarray, p: float) -> np.ndarray:
    """The fewest symbols that hold a probability of ``p`` together, the likeliest first (Holtzman et al. 2020, top-p).

    Raises:
        ValueError: ``p`` is not in (0, 1].
    """
    _check_share("p", p)
    logits = _checked(logits)
    return _keep_mass(logits, p, _likeliest_first(logits))


def min_p(logits: np.ndarray, p: float) -> np.ndarray:
    """The symbols at least ``p`` times as likely as the likeliest (Nguyen et al. 2024).

    Raises:
        ValueError: ``p`` is not in (0, 1].
    """
    _check_share("p", p)
    logits = _checked(logits)
    limit = logits.max(axis=-1, keepdims=True) + np.log(p)
    return np.where(logits >= limit, logits, -np.inf)


def typical(logits: np.ndarray, p: float) -> np.ndarray:
    """The fewest symbols that hold ``p`` together, those first whose surprise is nearest to the entropy.

    The surprise of a symbol is -log of its probability, the entropy its mean. The likeliest symbol may be cut, where it
    is far less surprising than is usual here (Meister et al. 2023, locally typical sampling).

    Raises:
        ValueError: ``p`` is not in (0, 1].
    """
    _check_share("p", p)
    logits = _checked(logits)
    surprise = -log_softmax(logits, axis=-1)  # (..., vocabulary)
    possible = np.isfinite(surprise)
    chances = _softmax(logits)
    entropy = np.sum(chances * np.where(possible, surprise, 0), axis=-1, keepdims=True)
    return _keep_mass(logits, p, np.argsort(np.abs(surprise - entropy), axis=-1, kind="stable"))


def probabilities(logits: np.ndarray, rules: Sequence[Rule] = ()) -> np.ndarray:
    """Of each symbol, after the rules one after the other; shape (..., vocabulary), float64."""
    logits = np.asarray(logits, dtype=float)
    for rule in rules:
        logits = rule(logits)
    return _softmax(logits)


def draw(logits: np.ndarray, rules: Sequence[Rule] = (), *, uniforms: np.ndarray | float) -> np.ndarray:
    """One symbol for each row of logits, drawn after the rules.

    Args:
        logits: shape (..., vocabulary).
        rules: applied in this order.
        uniforms: random numbers in [0, 1), shape (...): the symbol is the first whose cumulative probability lies above
            its number. Given from outside so that a text can be drawn again, here or in another language.

    Returns:
        Integers of shape (...).

    Raises:
        ValueError: numbers outside [0, 1), or of another shape.
    """
    chances = probabilities(logits, rules)
    uniforms = np.asarray(uniforms, dtype=float)
    if uniforms.shape != chances.shape[:-1]:
        raise ValueError(f"uniforms has the shape {uniforms.shape}; expected one for each row, {chances.shape[:-1]}.")
    if not ((uniforms >= 0) & (uniforms < 1)).all():
        raise ValueError("uniforms holds numbers outside [0, 1); rng.random() draws such numbers.")
    total = np.cumsum(chances, axis=-1)  # its end is 1 up to rounding
    return np.sum(total <= uniforms[..., None] * total[..., -1:], axis=-1)


def choose(logits: np.ndarray, rules: Sequence[Rule] = (), uniforms: np.ndarray | float | None = None) -> np.ndarray:
    """One symbol for each row: drawn as by :func:`draw`, or without random numbers the likeliest after the rules.

    Args:
        logits, rules, uniforms: as of :func:`draw`.
    """
    if uniforms is not None:
        return draw(logits, rules, uniforms=uniforms)
    for rule in rules:
        logits = rule(logits)
    return greedy(logits)


def uniforms(seed: int, shape: int | Sequence[int]) -> np.ndarray:
    """Random numbers in [0, 1) that are the same in every language: Tommy Ettinger's mulberry32.

    Whole numbers of 32 bits and six lines are all it needs. It counts: number k depends on ``seed`` and k alone.
    Good enough to draw a text with, not for cryptography.

    Args:
        seed: whole number from 0 to 2^32 - 1.
        shape: of the result, filled row by row.

    Returns:
        Multiples of 2^-32, float64.

    Raises:
        ValueError: another seed.
    """
    if seed != int(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"The seed is {seed}; expected a whole number from 0 to {2**32 - 1}.")
    count = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64).astype(np.uint32)
    state = np.uint32(seed) + count * np.uint32(0x6D2B79F5)  # modulo 2^32, as all that follows
    t = (state ^ state >> np.uint32(15)) * (state | np.uint32(1))
    t ^= t + (t ^ t >> np.uint32(7)) * (t | np.uint32(61))
    return ((t ^ t >> np.uint32(14)) / 2**32).reshape(shape)


def greedy(logits: np.ndarray) -> np.ndarray:
    """The likeliest symbol of each row, shape (...)."""
    return _checked(logits).argmax(axis=-1)


def _checked(logits) -> np.ndarray:
    return _with_largest(logits)[0]


def _relative(logits) -> np.ndarray:
    """Less the largest of each row."""
    logits, largest = _with_largest(logits)
    return logits - largest[..., None]


def _with_largest(logits) -> tuple[np.ndarray, np.ndarray]:
    """Logits that can be drawn from, and the largest of each row."""
    logits = np.asarray(logits, dtype=float)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits has the shape {logits.shape}; expected (..., vocabulary) with at least one symbol.")
    largest = logits.max(axis=-1)  # NaN where there is one
    if not np.isfinite(largest).all():
        if np.isnan(largest).any() or np.isposinf(largest).any():
            raise ValueError(
                "logits holds NaN or plus infinity: the model has diverged, or was given what it cannot read."
            )
        raise ValueError("logits holds a row of minus infinity only: nothing is left to draw.")
    return logits, largest


def _softmax(logits) -> np.ndarray:
    """SciPy's, without its way through other array libraries, which would cost more than a step of a small network."""
    chances = np.exp(_relative(logits))
    return chances / chances.sum(axis=-1, keepdims=True)


def _check_share(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise ValueError(f"{name} is {value}; expected a share above 0 and at most 1.")


def _likeliest_first(logits: np.ndarray) -> np.ndarray:
    return np.argsort(-logits, axis=-1, kind="stable")


def _keep_mass(logits: np.ndarray, p: float, order: np.ndarray) -> np.ndarray:
    """The first symbols of an order that hold ``p`` together."""
    if p == 1:
        return logits
    total = np.cumsum(np.take_along_axis(_softmax(logits), order, axis=-1), axis=-1)
    return _keep_first(logits, np.sum(total < p * total[..., -1:], axis=-1) + 1, order)


def _keep_first(logits: np.ndarray, count: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Of each row the first ``count`` symbols, shape (...), of an order of all, shape (..., vocabulary)."""
    rank = np.argsort(order, axis=-1)  # of each symbol in the order
    return np.where(rank < count[..., None], logits, -np.inf)
