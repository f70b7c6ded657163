"""The trials that lessons share: against models whose answers are known, scikit-learn and Keras."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from utils import runtime
from utils.datasets.windows import Windows, sliding_windows
from utils.evaluation.trials import error_of_changes, learn_recall, learn_series, text_bits
from utils.models.recurrent import build_recurrent
from utils.runtime import keras


@pytest.fixture(autouse=True)
def seed():
    runtime.set_seed(0)


def constant(number: float) -> "keras.Model":
    model = keras.Sequential([keras.Input((4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.set_weights([np.zeros((4, 1)), np.array([number])])
    return model


def test_error_of_changes_by_hand():
    windows = sliding_windows(2 * np.arange(10.0), window=4)  # each step adds 2
    assert error_of_changes(constant(0), windows) == 1
    assert error_of_changes(constant(2), windows) == 0
    assert error_of_changes(constant(5), windows) == pytest.approx(1.5)
    alternating = Windows(windows.x, windows.x[:, -1, 0] + np.resize([3.0, -1.0], len(windows.x)))
    assert error_of_changes(constant(1), alternating) == pytest.approx(2 / np.sqrt(5))


def test_recall_is_learned_over_a_short_lag_only():
    shape = {"vocabulary": 8, "outputs": 2, "activation": "softmax"}
    short = learn_recall(build_recurrent("LSTM", 16, sequence_length=3, **shape), 2, seed=1, learning_rate=0.02)
    assert short == {"accuracy": 1.0, "solved": True}
    untrained = learn_recall(build_recurrent("LSTM", 16, sequence_length=61, **shape), 60, seed=1, steps=1)
    assert 0.4 < untrained["accuracy"] < 0.6
    assert not untrained["solved"]


def test_a_linear_series_is_forecast_and_its_linear_baseline_is_scikit_learns():
    series = np.sin(np.arange(300) / 5) + 0.1 * np.random.default_rng(0).normal(size=300)
    model = build_recurrent("LSTM", 8, features=1, sequence_length=6)
    errors = learn_series(model, series, 6, 2, epochs=30, learning_rate=0.02)
    assert set(errors) == {"validation", "test", "linear"}
    assert errors["test"] < 0.8
    assert errors["validation"] < 0.8
    scaled = (series - series[:210].mean()) / series[:210].std()
    x = np.lib.stride_tricks.sliding_window_view(scaled[:-2], 6)  # row i ends at i + 5, its target is at i + 7
    y = scaled[7:]
    test = np.arange(len(y)) >= 240 - 7
    forecast = LinearRegression().fit(x[: 210 - 7], y[: 210 - 7]).predict(x[test])
    persistence = np.mean((y[test] - x[test, -1]) ** 2)
    assert errors["linear"] == pytest.approx(np.sqrt(np.mean((y[test] - forecast) ** 2) / persistence), rel=1e-3)


def test_text_bits_are_keras_cross_entropy_in_bits():
    model = build_recurrent("GRU", 8, vocabulary=5, outputs=5, every_step=True)
    x, y = np.random.default_rng(0).integers(5, size=(2, 7, 20))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(x))
    assert text_bits(model, x, y) == pytest.approx(float(loss) / np.log(2), rel=1e-5)
