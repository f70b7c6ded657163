"""Questions asked all at once, against the same questions asked one by one with `nearest` and `analogy`."""

import numpy as np
import pandas as pd
import pytest

from utils.evaluation.analogies import ask_analogies, bootstrap_pairs, same_kind
from utils.models.embeddings import analogy, nearest

VECTORS = np.random.default_rng(0).normal(size=(30, 6)) + np.arange(30)[:, None] % 2  # two heaps
PAIRS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (0, 9)]


def test_each_answer_is_that_of_a_single_question():
    asked = ask_analogies(VECTORS, PAIRS)
    together = {(i, j) for i in range(6) for j in range(6) if i != j and not set(PAIRS[i]) & set(PAIRS[j])}
    assert set(zip(asked["first"], asked["second"], strict=True)) == together
    for row in asked.itertuples():
        (a, b), (c, d) = PAIRS[row.first], PAIRS[row.second]
        free = analogy(VECTORS, a, b, c, exclude=False)[0]
        assert row.input == (free in (a, b, c))
        assert row.open == (free == d)
        assert row.offset == (analogy(VECTORS, a, b, c)[0] == d)
        assert row.neighbour == (nearest(VECTORS, c, 1, exclude=[a, b])[0] == d)
        others = [pair for pair in PAIRS[row.first + 1 :] + PAIRS[: row.first] if not {a, b, c, d} & set(pair)]
        assert row.mixed == (analogy(VECTORS, a, others[0][1], c)[0] == d)


def test_a_perfect_relation_is_found_by_the_offset_and_not_by_the_neighbour():
    rng = np.random.default_rng(1)
    own, kind = rng.normal(size=(8, 40)), 12 * np.eye(40)
    vectors = np.concatenate([own + kind[0], own + kind[1]])  # words of a kind stand together
    asked = ask_analogies(vectors, [(i, i + 8) for i in range(8)])
    assert asked["offset"].mean() > 0.9
    assert asked["neighbour"].mean() < 0.2


def test_nearest_among_the_words_of_all_kinds():
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [0.9, 1]])
    assert same_kind(vectors, [[0, 1], [2, 3, 4]]).tolist() == [True, True, True, True, True]
    assert same_kind(vectors, [[0, 4], [2, 3, 1]]).tolist() == [False, False, True, True, False]


def test_interval_covers_the_truth_as_often_as_it_says():
    """Pairs differ, so that questions that share one go together: an interval over questions would be too narrow."""
    covered, rng = [], np.random.default_rng(0)
    for trial in range(100):
        skill = rng.normal(size=20)
        first, second = np.divmod(np.arange(400), 20)
        kept = first != second
        first, second = first[kept], second[kept]
        right = skill[first] + skill[second] + rng.normal(size=len(first)) > 0
        asked = pd.DataFrame({"first": first, "second": second, "a": right, "b": False})
        low, high = bootstrap_pairs(asked, "a", "b", draws=300, seed=trial)
        covered.append(low <= 0.5 <= high)
    assert np.mean(covered) > 0.85


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="at least three"):
        ask_analogies(VECTORS, PAIRS[:2])
    with pytest.raises(ValueError, match="without a common word"):
        ask_analogies(VECTORS, [(0, 1), (0, 2), (0, 3)])
    with pytest.raises(ValueError, match="at least two of at least two"):
        same_kind(VECTORS, [[0, 1], [2]])
