"""The memory tasks: what is asked, and the exact score of remembering nothing."""

import numpy as np
import pytest
from scipy import stats

from utils.datasets import memory_tasks as tasks


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_recall(rng):
    x, y = tasks.recall(500, 7, rng, symbols=3, distractors=4)
    assert x.shape == (500, 8)
    assert (x[:, 0] == y).all()
    assert set(y) == {0, 1, 2}
    assert set(x[:, 1:].ravel()) == {3, 4, 5, 6}


def test_adding(rng):
    x, y = tasks.adding(300, 11, rng)
    assert x.shape == (300, 11, 2)
    assert (x[:, :5, 1].sum(axis=1) == 1).all()
    assert (x[:, 5:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose((x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True), y, rtol=1e-6)


def independent(a, b) -> bool:
    """Whether a chi-square test finds no trace of one in the other."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    return stats.chi2_contingency(table[table.any(axis=1)][:, table.any(axis=0)]).pvalue > 1e-3


@pytest.mark.parametrize("lag", [1, 6])
def test_nothing_but_the_first_symbol_of_recall_tells_the_answer(rng, lag):
    x, y = tasks.recall(20_000, lag, rng, symbols=3, distractors=4)
    for place in range(1, lag + 1):
        assert independent(y, x[:, place]), f"symbol {place}"
    for place in range(2, lag + 1):
        assert independent(y, 4 * (x[:, place - 1] - 3) + x[:, place] - 3), f"symbols {place - 1} and {place}"
        assert independent(x[:, place - 1], x[:, place])


def test_marks_of_adding_fall_anywhere_in_their_half_of_each_row(rng):
    x, _ = tasks.adding(20_000, 11, rng)
    first, second = x[:, :5, 1].argmax(axis=1), x[:, 5:, 1].argmax(axis=1)
    for places, length in ((first, 5), (second, 6)):
        assert stats.chisquare(np.bincount(places, minlength=length)).pvalue > 1e-3
        assert independent(places[:-1], places[1:])  # from row to row
    assert independent(first, second)
    assert independent(first, (10 * x[np.arange(len(x)), first, 0]).astype(int))  # places and numbers


@pytest.mark.parametrize(("marks", "length"), [(2, 20), (2, 105), (3, 100)])
def test_temporal_order(rng, marks, length):
    x, y = tasks.temporal_order(400, length, rng, marks=marks)
    assert ((x < 2).sum(axis=1) == marks).all()
    read = [int("".join(map(str, row[row < 2])), 2) for row in x]
    assert read == y.tolist()
    assert set(y) == set(range(2**marks))


def test_parity(rng):
    x, y = tasks.parity(50, 9, rng)
    assert (y == [[row[: t + 1].sum() % 2 for t in range(9)] for row in x]).all()


def test_anbn():
    x, y = tasks.anbn([1, 3])
    assert x.tolist() == [[0, 1, 2, 0, 0, 0, 0], [0, 1, 1, 1, 2, 2, 2]]
    assert y.tolist() == [[-1, -1, 0, -1, -1, -1, -1], [-1, -1, -1, -1, 2, 2, 0]]


def test_baselines_are_those_of_the_papers():
    assert tasks.adding_baseline(1000).score == pytest.approx(1 / 6)
    assert tasks.adding_baseline(1000).low == pytest.approx(0.154, abs=5e-4)  # band for 1,000 sequences
    assert tasks.adding_baseline(1000).high == pytest.approx(0.179, abs=5e-4)
    assert tasks.recall_baseline(100, symbols=4).score == 0.25


@pytest.mark.parametrize(
    ("task", "constant", "score"),
    [
        (lambda n, rng: tasks.recall(n, 3, rng, symbols=4)[1], 0, lambda n: tasks.recall_baseline(n, 4)),
        (lambda n, rng: tasks.adding(n, 10, rng)[1], 1.0, tasks.adding_baseline),
    ],
)
def test_the_constant_answer_falls_into_its_band_as_often_as_promised(task, constant, score):
    inside = []
    for seed in range(200):
        y = task(400, np.random.default_rng(seed))
        measured = np.mean((y - constant) ** 2) if y.dtype == np.float32 else np.mean(y == constant)
        baseline = score(400)
        inside.append(baseline.low <= measured <= baseline.high)
    assert 0.9 <= np.mean(inside) <= 0.99


def test_bad_input_is_named(rng):
    for call, message in [
        (lambda: tasks.recall(5, 0, rng), "lag is 0; this task needs at least 1"),
        (lambda: tasks.recall(5, 3, rng, symbols=1), "symbols is 1"),
        (lambda: tasks.adding(5, 1, rng), "length is 1; this task needs at least 2"),
        (lambda: tasks.adding(0, 5, rng), "n is 0"),
        (lambda: tasks.temporal_order(5, 10, rng), "length is 10; this task needs at least 20"),
        (lambda: tasks.anbn([3, 0]), "expected whole numbers of at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
