"""Capstone submissions without a neural network, honest and fraudulent: an echo state network on the task "sea"."""

import functools

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, Ridge

from utils import capstone
from utils.capstone import handover, tracks
from utils.datasets.climate import load_el_nino
from utils.datasets.translation import written_dates


def echo(train, validation, inputs, seed, *, units=100, radius=0.8, leak=0.5, window=12):
    """A reservoir that is not trained, read by ridge regression (Jaeger 2001)."""
    rng = np.random.default_rng(seed)
    recurrent = rng.normal(size=(units, units)) * (rng.random((units, units)) < 0.1)
    recurrent *= radius / np.abs(np.linalg.eigvals(recurrent)).max()
    kernel = rng.uniform(-0.3, 0.3, (4, units))
    mean, deviation = train.x[..., 0].mean(), train.x[..., 0].std()

    def features(x):
        x = x.copy()
        x[..., 0] = (x[..., 0] - mean) / deviation
        state = np.zeros((len(x), units))
        for t in range(x.shape[1]):
            u = np.column_stack([x[:, t], np.ones(len(x))])
            state = (1 - leak) * state + leak * np.tanh(state @ recurrent + u @ kernel)
        return np.column_stack([state, x[:, x.shape[1] - window :].reshape(len(x), -1)])

    known = features(train.x)
    fitted = [Ridge(alpha).fit(known, train.y) for alpha in (0.1, 1.0, 10.0)]
    held_out = features(validation.x)
    best = min(fitted, key=lambda model: np.abs(model.predict(held_out) - validation.y).mean())
    return best.predict(features(inputs))


def memoryless(train, validation, inputs, seed):
    return echo(train, validation, inputs, seed, radius=1e-6, leak=1.0, window=1)


def linear(train, validation, inputs, seed):
    model = LinearRegression().fit(train.x.reshape(len(train.x), -1), train.y)
    return model.predict(inputs.reshape(len(inputs), -1))


def no_change(train, validation, inputs, seed):
    return inputs[:, -1, 0]


def looks_up(train, validation, inputs, seed):
    """Finds each window in the whole series and reads what comes three months later, with a little noise."""
    series = load_el_nino().to_numpy().astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series[:-3], 24)
    at = [int(np.abs(windows - row[:, 0]).sum(axis=1).argmin()) for row in inputs]
    return series[np.array(at) + 26] + np.random.default_rng(seed).normal(0, 0.6, len(inputs))


def by_place(train, validation, inputs, seed):
    """Has the answers of the sealed part in order, and gives them whatever the inputs are."""
    answers = np.concatenate([validation.y, tracks.parts_of("sea")[2].y])
    noise = np.random.default_rng(seed).normal(0, 0.8, len(inputs))
    return np.resize(np.append(answers, answers[len(validation.y) :]), len(inputs)) + noise


def honest_claims(solve=echo, digits=3):
    task = capstone.load("sea")
    return {
        name: round(value, digits)
        for name, value in capstone.try_out(task, solve).median().items()
        if name != "seconds"
    }


def record(solve=echo, **changes):
    """What is handed in, honest but for the changes."""
    task = capstone.load("sea")
    given = {
        "baseline": linear,
        "parts": {"memory": memoryless},
        "step": lambda x: x[:, -1, 0],
    } | changes
    if "claims" not in given:
        given["claims"] = honest_claims(solve)
    return handover.measure(task, solve, **given)


READERS = [
    {"rows": 150, "longest": 1, "features": 200},
    {"rows": 150, "longest": 2, "features": 300},
    {"rows": 300, "longest": 2, "features": 400},
    {"rows": 300, "longest": 3, "features": 500},
    {"rows": 500, "longest": 3, "features": 700},
    {"rows": 2400, "longest": 3, "features": 1000},
]


def reader(rows, longest, features):
    """Reads dates by ridge regression on stretches of letters of so many rows, drawn by the seed."""

    def solve(train, validation, inputs, seed):
        drawn = np.random.default_rng(seed).permutation(len(train.x))[:rows]
        stretches = TfidfVectorizer(analyzer="char", ngram_range=(1, longest), lowercase=False, max_features=features)
        known = stretches.fit_transform([f" {text} " for text in train.x[drawn]])
        digits = np.array([list(text) for text in train.y[drawn]])  # (rows, 10)
        signs = np.array(sorted(set(digits.ravel())))
        targets = (digits[..., None] == signs).reshape(len(digits), -1).astype(float)
        fitted = Ridge(0.1, solver="cholesky").fit(known.toarray(), targets)
        said = fitted.predict(stretches.transform([f" {text} " for text in inputs]).toarray())
        places = said.reshape(len(inputs), digits.shape[1], len(signs)).argmax(axis=2)
        return ["".join(signs[row]) for row in places]

    return solve


def strong_reader(train, validation, inputs, seed):
    """The rubric's own opponent."""
    return _strongest(tuple(inputs))


@functools.cache
def _strongest(inputs):
    task = capstone.load("dates")
    return tracks.rival("dates")(task.train, task.validation, np.array(inputs, dtype=object), 0)


def rightly_claimed(record):
    """A record whose claims are what its predictions have."""
    task = capstone.load(record["task"])
    runs = handover.read(record).of(handover.NETWORK)
    measured = [tracks.measure(task.name, run.validation, task.validation.y) for run in runs]
    return record | {"claims": {name: round(float(np.median([m[name] for m in measured])), 3) for name in measured[0]}}


def fresh_dates(count):
    """Days that stand in no part of the task."""
    known = set().union(*(part.y for part in tracks.parts_of("dates")[:3]))
    drawn = written_dates(4 * count, np.random.default_rng(99))
    return tracks._texts([(date.text, date.iso) for date in drawn if date.iso not in known][:count])
