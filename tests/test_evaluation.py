"""Metrics and baselines against scikit-learn, SciPy, statsmodels and arithmetic."""

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from utils.datasets.windows import chronological_split, split_windows
from utils.evaluation import baselines, metrics

rng = np.random.default_rng(0)
SERIES = np.cumsum(rng.normal(size=200)) + 5 * np.sin(np.arange(200) / 2)
HISTORY, TEST = SERIES[:150], SERIES[150:]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least one season of 7"):
        baselines.seasonal_naive([1, 2], [3], season=7)
    with pytest.raises(ValueError, match="expected at least 12"):
        baselines.autoregression([1, 2, 3], [4], lags=5)


def test_persistence_and_seasonal_naive_by_hand():
    assert baselines.persistence([1, 2, 3], [4, 5]).tolist() == [3, 4]
    assert baselines.seasonal_naive([1, 2, 3], [4, 5, 6, 7], season=2).tolist() == [2, 3, 4, 5]
    assert baselines.seasonal_naive([1, 2, 3], [4], season=3).tolist() == [1]


def test_exponential_smoothing_equals_the_recursion():
    level = SimpleExpSmoothing(HISTORY, initialization_method="known", initial_level=HISTORY[0]).fit()
    weight = level.params["smoothing_level"]
    state, expected = HISTORY[0], []
    for value in SERIES:
        expected.append(state)
        state = weight * value + (1 - weight) * state
    np.testing.assert_allclose(baselines.exponential_smoothing(HISTORY, TEST), expected[150:], rtol=1e-8)


@pytest.mark.parametrize("lags", [1, 5])
def test_autoregression_equals_its_formula_with_the_fitted_weights(lags):
    intercept, *weights = AutoReg(HISTORY, lags=lags).fit().params
    expected = [intercept + sum(w * SERIES[t - k] for k, w in enumerate(weights, 1)) for t in range(150, 200)]
    np.testing.assert_allclose(baselines.autoregression(HISTORY, TEST, lags), expected)


def test_linear_on_windows_equals_autoregression_fitted_to_the_same_part():
    parts = chronological_split(SERIES)
    train, _, test = split_windows(parts, window=6)
    expected = baselines.autoregression(parts.train, np.concatenate(parts[1:]), lags=6)[-len(parts.test) :]
    np.testing.assert_allclose(baselines.linear_on_windows(train, test.x), expected, rtol=1e-3)


def test_no_baseline_sees_the_value_it_forecasts():
    changed = TEST.copy()
    changed[20:] += 100
    for forecast in (
        lambda test: baselines.persistence(HISTORY, test),
        lambda test: baselines.exponential_smoothing(HISTORY, test),
        lambda test: baselines.autoregression(HISTORY, test, 3),
    ):
        np.testing.assert_allclose(forecast(TEST)[:21], forecast(changed)[:21])


def test_bits_per_character():
    assert metrics.bits_per_character([0.5, 0.25]) == 1.5
    assert metrics.bits_per_character(np.full((3, 4), 1 / 64)) == 6
    with pytest.raises(ValueError, match="above 0"):
        metrics.bits_per_character([0.5, 0.0])
    with pytest.raises(ValueError, match="none"):
        metrics.bits_per_character([])


def test_probability_of_equals_keras_cross_entropy():
    import keras

    logits, targets = rng.normal(size=(3, 4, 5)), rng.integers(5, size=(3, 4))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(-np.log(metrics.probability_of(logits, targets)), loss(targets, logits), rtol=1e-5)
    with pytest.raises(ValueError, match=r"need targets of shape \(3, 4\), got \(3,\)"):
        metrics.probability_of(logits, targets[:, 0])
    with pytest.raises(ValueError, match="0 to 4"):
        metrics.probability_of(logits, targets + 1)


def test_ngram_equals_nltk():
    """Witten and Bell's interpolation as nltk has it, with equally likely symbols below the shortest context."""
    from nltk.lm import WittenBellInterpolated

    rng = np.random.default_rng(2)
    train, test = rng.integers(4, size=60), rng.integers(5, size=20)  # symbol 4 never comes in the training part
    order, symbols = 3, 5
    ours = baselines.ngram_probabilities(train, test, order, symbols)
    model = WittenBellInterpolated(order + 1)
    letters = ["abcde"[s] for s in np.concatenate([train, test])]
    grams = [tuple(letters[i : i + n]) for n in range(1, order + 2) for i in range(len(train) - n + 1)]
    model.fit([grams], vocabulary_text="abcde")
    counted, seen = letters[: len(train)], len(set(train))

    def unigram(symbol):
        return (counted.count(symbol) + seen / symbols) / (len(train) + seen)

    model.estimator.unigram_score = unigram
    for k in range(order + 1):
        for i in range(len(test)):
            place = len(train) + i
            expected = model.score(letters[place], letters[place - k : place]) if k else unigram(letters[place])
            assert ours[k, i] == pytest.approx(expected)


def test_ngram_probabilities_sum_to_one_and_bad_input_is_named():
    train = np.random.default_rng(3).integers(3, size=50)
    each = [baselines.ngram_probabilities(train, [s], 2, 4)[:, 0] for s in range(4)]
    np.testing.assert_allclose(np.sum(each, axis=0), 1)
    with pytest.raises(ValueError, match="expected 0 to 3"):
        baselines.ngram_probabilities(train, [4], 2, 4)
    with pytest.raises(ValueError, match="order is 40"):
        baselines.ngram_probabilities(train, [1], 40, 4)
    with pytest.raises(ValueError, match="at least 6"):
        baselines.ngram_probabilities([0, 1], [1], 5, 4)


def test_half_solved_length_finds_the_middle_of_a_known_curve():
    rng = np.random.default_rng(4)
    lengths = np.repeat([10, 20, 40, 80, 160], 400)
    solved = rng.uniform(size=lengths.size) < 1 / (1 + (lengths / 50) ** 3)  # half of them at 50
    assert metrics.half_solved_length(lengths, solved) == pytest.approx(50, rel=0.1)


def test_half_solved_length_by_hand():
    # 3/4 at 20 and 1/4 at 40: half of the way, on the logarithmic scale
    solved = [True] * 4 + [True, True, True, False] + [True, False, False, False]
    assert metrics.half_solved_length(np.repeat([10, 20, 40], 4), solved) == pytest.approx(np.sqrt(20 * 40))
    assert metrics.half_solved_length([10, 20], [True, True]) == np.inf
    assert metrics.half_solved_length([10, 20], [False, False]) == 0
    # the first fall counts, whatever luck comes later
    assert 10 <= metrics.half_solved_length([10, 20, 40], [True, False, True]) < 20
    with pytest.raises(ValueError, match="2 lengths and 1 results"):
        metrics.half_solved_length([10, 20], [True])
