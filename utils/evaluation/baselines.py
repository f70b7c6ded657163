"""Simple forecasts that a network has to beat. All of them see the past only: entry t is made from values before t."""

import numpy as np
from sklearn.linear_model import LinearRegression
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.holtwinters import SimpleExpSmoothing


def persistence(history, test) -> np.ndarray:
    """Tomorrow equals today.

    Taught in lesson 01.

    Args:
        history: the series up to the test part, shape (time,).
        test: the part to forecast one step ahead, shape (steps,).

    Returns:
        Forecasts of shape (steps,).

    Raises:
        ValueError: (here and below) a history too short.
    """
    return seasonal_naive(history, test, season=1)


def seasonal_naive(history, test, season: int) -> np.ndarray:
    """The value one season ago; arguments as in :func:`persistence`.

    Taught in lesson 01.
    """
    if season < 1 or len(history) < season:
        raise ValueError(f"history has {len(history)} values; expected at least one season of {season}.")
    series = np.concatenate([np.asarray(history, dtype=float), np.asarray(test, dtype=float)])
    return series[len(history) - season : len(series) - season]


def exponential_smoothing(history, test) -> np.ndarray:
    """Exponentially weighted mean of the past (EWMA), its weight chosen on the history by statsmodels.

    Taught in lesson 01.
    """
    history, test = np.asarray(history, dtype=float), np.asarray(test, dtype=float)
    _need(history, 3)
    fixed = {"initialization_method": "known", "initial_level": history[0]}
    level = SimpleExpSmoothing(history, **fixed).fit().params["smoothing_level"]
    series = np.concatenate([history, test])
    return SimpleExpSmoothing(series, **fixed).fit(smoothing_level=level, optimized=False).fittedvalues[len(history) :]


def autoregression(history, test, lags: int) -> np.ndarray:
    """Linear in the last ``lags`` values, with an intercept, fitted to the history by statsmodels' least squares.

    Taught in lesson 01.
    """
    history, test = np.asarray(history, dtype=float), np.asarray(test, dtype=float)
    _need(history, 2 * lags + 2)
    fitted = AutoReg(history, lags=lags).fit()
    series = np.concatenate([history, test])
    return AutoReg(series, lags=lags).predict(fitted.params, start=len(history), end=len(series) - 1)


def linear_on_windows(train, x) -> np.ndarray:
    """Least squares on whole windows: what a network gets to see, without the network.

    Taught in lesson 01.

    Args:
        train: ``Windows(x, y)`` to fit, see :mod:`utils.datasets.windows`.
        x: windows to forecast from, shape (windows, time, features).

    Returns:
        Forecasts of shape (windows,).
    """
    model = LinearRegression().fit(train.x.reshape(len(train.x), -1), train.y)
    return model.predict(x.reshape(len(x), -1))


def ngram_probabilities(train, test, order: int, symbols: int) -> np.ndarray:
    """What a table of counted contexts gives each symbol of ``test``: an n-gram, interpolated after Witten and Bell.

    Taught in lesson 04.

    With c the count of a context h in the training part, d the number of different symbols seen after it and h' the
    context without its oldest symbol, ``p(s | h) = (count(h s) + d p(s | h')) / (c + d)``; below the empty context all
    symbols are equally likely. Witten and Bell (1991), method C.

    Args:
        train: numbers of the symbols to count, shape (time,), below ``symbols``.
        test: numbers of the symbols that follow, shape (steps,).
        order: the longest context, in symbols.
        symbols: size of the vocabulary.

    Returns:
        Array of shape (order + 1, steps): row k uses contexts of at most k symbols.

    Raises:
        ValueError: a training part not longer than ``order``, symbols outside the vocabulary, or an order and a
            vocabulary too large for contexts to be numbered.
    """
    train, test = np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)
    _need(train, order + 1)
    if order < 0 or symbols ** (order + 1) >= 2**63:
        raise ValueError(
            f"order is {order} with {symbols} symbols; expected an order from 0 to {int(63 / np.log2(symbols)) - 1}."
        )
    series = np.concatenate([train, test])
    if series.min() < 0 or series.max() >= symbols:
        raise ValueError(f"The symbols run from {series.min()} to {series.max()}; expected 0 to {symbols - 1}.")
    result = np.empty((order + 1, len(test)))
    lower = np.full(len(test), 1 / symbols)
    for k in range(order + 1):
        # The number of the k + 1 symbols that end at each place: the context, then the symbol itself.
        grams = sum(series[k - j : len(series) - j] * symbols**j for j in range(k + 1))
        seen, asked = grams[: len(train) - k], grams[len(train) - k :]
        known, counts = np.unique(seen, return_counts=True)
        contexts, first = np.unique(known // symbols, return_index=True)
        total = np.add.reduceat(counts, first)
        different = np.diff(np.append(first, len(known)))
        count = _look_up(known, counts, asked)
        c, d = (_look_up(contexts, values, asked // symbols) for values in (total, different))
        lower = result[k] = np.where(c > 0, (count + d * lower) / np.maximum(c + d, 1), lower)
    return result


def ngram_text(train, prompt, steps: int, order: int, symbols: int, rng: np.random.Generator) -> np.ndarray:
    """Text drawn from the n-gram of :func:`ngram_probabilities`, symbol by symbol.

    Taught in lesson 13. With a probability of c / (c + d) the next symbol is what followed the context at a place drawn
    from all where it stands in the training part; else the context loses its oldest symbol, and so on. That draws from
    the interpolated probabilities without adding them up.

    Args:
        train, order, symbols: as in :func:`ngram_probabilities`.
        prompt: numbers of the symbols to go on from, shape (time,), at least ``order``.
        steps: symbols to draw.
        rng: NumPy generator.

    Returns:
        Shape (steps,).

    Raises:
        ValueError: a training part or prompt shorter than ``order``, or numbers that do not fit (see there).
    """
    train, text = np.asarray(train, dtype=np.int64), [int(symbol) for symbol in prompt]
    _need(train, order + 1)
    _need(text, order)
    if order < 0 or symbols**order >= 2**63 or not (train.min() >= 0 and max(train.max(), *text) < symbols):
        raise ValueError(f"order is {order} with numbers up to {max(train.max(), *text)} of {symbols} symbols.")
    # Contexts as numbers, the latest symbol first, so that those that end alike stand together when sorted.
    contexts = sum(train[order - 1 - j : len(train) - 1 - j] * symbols ** (order - 1 - j) for j in range(order))
    contexts = np.zeros(len(train), np.int64) if order == 0 else contexts
    places = np.argsort(contexts, kind="stable")
    contexts, following = contexts[places], train[order:][places]
    for _ in range(steps):
        number = sum(text[-1 - j] * symbols ** (order - 1 - j) for j in range(order))
        for k in range(order, -1, -1):
            span = symbols ** (order - k)  # contexts that share their last k symbols
            low, high = np.searchsorted(contexts, [number // span * span, (number // span + 1) * span])
            seen = following[low:high]
            if len(seen) and rng.random() * (len(seen) + len(np.unique(seen))) < len(seen):
                text.append(int(seen[rng.integers(len(seen))]))
                break
        else:
            text.append(int(rng.integers(symbols)))
    return np.array(text[len(prompt) :])


def _look_up(keys: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The value of each asked key, 0 where it is not among the sorted keys."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0)


def _need(history: np.ndarray, values: int) -> None:
    if len(history) < values:
        raise ValueError(f"history has {len(history)} values; expected at least {values}.")
