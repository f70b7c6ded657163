"""The gradient probe against the analytic linear case, the NumPy cells and finite differences."""

import subprocess
import sys

import numpy as np
import pytest

from utils import runtime
from utils.evaluation.gradients import gate_activity, gradient_per_lag, spectral_radius
from utils.models import numpy_cells
from utils.models.recurrent import build_recurrent
from utils.runtime import keras


def model_of(layer, features=2, time=12):
    return keras.Sequential([keras.Input((time, features)), layer])


@pytest.mark.parametrize("trainable", [True, False])
def test_linear_rnn_equals_powers_of_its_own_matrix(trainable):
    x = np.random.default_rng(0).normal(size=(3, 12, 2)).astype("float32")
    v = np.random.default_rng(0).normal(size=(3, 4))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    for _ in range(2):  # the second network shares what was compiled for the first, but not its weights
        layer = keras.layers.SimpleRNN(4, activation="linear", trainable=trainable)
        model = model_of(layer)
        u = layer.get_weights()[1].astype(float)
        expected = [np.linalg.norm(v @ np.linalg.matrix_power(u.T, k), axis=1) for k in range(12)]
        np.testing.assert_allclose(gradient_per_lag(model, x), np.stack(expected, axis=1), rtol=1e-4)


@pytest.mark.parametrize("cell", ["RNN", "GRU"])
def test_equals_differences_of_the_numpy_cells(cell):
    runtime.set_seed(0)
    model = build_recurrent(cell, 4, features=2)
    x = np.random.default_rng(0).normal(size=(1, 9, 2)).astype("float32")
    weights = [w.astype(float) for w in model.layers[0].get_weights()]
    forward = {"RNN": numpy_cells.rnn_forward, "GRU": numpy_cells.gru_forward}[cell]
    h, _ = forward(x.astype(float), *weights)
    v = np.random.default_rng(0).normal(size=(1, 4))
    v /= np.linalg.norm(v)
    measured = gradient_per_lag(model, x)
    assert measured[0, 0] == pytest.approx(1)
    for k in (1, 4, 8):
        start = h[:, 8 - k]
        steps = []
        for unit in range(4):  # central differences in the state k steps before the end
            up, down = start.copy(), start.copy()
            up[0, unit] += 1e-5
            down[0, unit] -= 1e-5
            ends = [forward(x[:, 9 - k :].astype(float), *weights, s)[0][:, -1] for s in (up, down)]
            steps.append(((ends[0] - ends[1]) @ v.T / 2e-5).item())
        assert measured[0, k] == pytest.approx(np.linalg.norm(steps), rel=1e-3)


def test_lstm_counts_both_of_its_states():
    runtime.set_seed(0)
    model = build_recurrent("LSTM", 3, features=2)
    x = np.random.default_rng(0).normal(size=(1, 6, 2)).astype("float32")
    weights = [w.astype(float) for w in model.layers[0].get_weights()]
    h, c, _ = numpy_cells.lstm_forward(x.astype(float), *weights)
    v = np.random.default_rng(0).normal(size=(1, 3))
    v /= np.linalg.norm(v)
    slopes = []
    for which in range(2):
        for unit in range(3):
            ends = []
            for sign in (1, -1):
                states = [h[:, 2].copy(), c[:, 2].copy()]
                states[which][0, unit] += sign * 1e-5
                ends.append(numpy_cells.lstm_forward(x[:, 3:].astype(float), *weights, *states)[0][:, -1])
            slopes.append(((ends[0] - ends[1]) @ v.T / 2e-5).item())
    assert gradient_per_lag(model, x)[0, 3] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


@pytest.mark.parametrize("forget_bias", [0, 1, 3])
def test_with_gates_held_and_no_input_only_the_forget_gate_counts(forget_bias):
    model = build_recurrent("LSTM", 5, features=2, forget_bias=forget_bias)
    x = np.zeros((2, 15, 2), "float32")
    gate = 1 / (1 + np.exp(-forget_bias))
    expected = np.tile(gate ** np.arange(15), (2, 1))
    np.testing.assert_allclose(gradient_per_lag(model, x, gates_held=True), expected, rtol=1e-4)


def test_embedded_symbols_are_probed_too():
    model = build_recurrent("LSTM", 5, vocabulary=7)
    assert gradient_per_lag(model, np.zeros((2, 4), int)).shape == (2, 4)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_gate_activity_reproduces_the_layer(cell):
    runtime.set_seed(1)
    model = build_recurrent(cell, 4, features=2)
    layer = model.layers[0]
    layer.set_weights([w + 0.1 for w in layer.get_weights()])
    x = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    gates = gate_activity(model, x)
    kernel, recurrent_kernel, bias = [w.astype(float) for w in layer.get_weights()]
    if cell == "LSTM":
        _, c, _ = numpy_cells.lstm_forward(x.astype(float), kernel, recurrent_kernel, bias)
        h, *_ = numpy_cells.lstm_forward(x.astype(float), kernel, recurrent_kernel, bias)
        np.testing.assert_allclose(gates["output"] * np.tanh(c), h, atol=1e-5)
        assert set(gates) == {"input", "forget", "output"}
    else:
        *_, activations, _ = numpy_cells.gru_forward(x.astype(float), kernel, recurrent_kernel, bias)[1]
        np.testing.assert_allclose(gates["update"], np.stack([a[0] for a in activations], 1), atol=1e-5)
        np.testing.assert_allclose(gates["reset"], np.stack([a[1] for a in activations], 1), atol=1e-5)


def test_spectral_radius():
    rotation = 0.9 * np.array([[0.0, -1.0], [1.0, 0.0]])
    assert spectral_radius(rotation) == pytest.approx(0.9)
    assert spectral_radius([[0.5, 100.0], [0.0, 0.2]]) == pytest.approx(0.5)


def test_bad_input_is_named():
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no SimpleRNN, LSTM or GRU layer to probe; its layers are: Dense"):
        gradient_per_lag(dense, np.zeros((1, 3)))
    model = build_recurrent("RNN", 3, features=2)
    with pytest.raises(ValueError, match="SimpleRNN has none"):
        gradient_per_lag(model, np.zeros((1, 3, 2)), gates_held=True)
    with pytest.raises(ValueError, match="no gates"):
        gate_activity(model, np.zeros((1, 3, 2)))
    with pytest.raises(ValueError, match="expected a square one"):
        spectral_radius(np.zeros((2, 3)))


def test_many_kinds_of_cells_bring_no_warning_of_tensorflow():
    """TensorFlow counts how often functions of one name are traced, and warns where a lesson probes many networks."""
    script = """
import numpy as np
from utils import runtime
runtime.start_tensorflow()
from utils.evaluation.gradients import gradient_per_lag
from utils.models.recurrent import build_recurrent
for units in (2, 3, 4, 5, 6, 7):
    gradient_per_lag(build_recurrent("GRU", units, features=1), np.zeros((1, 3, 1), "float32"))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_an_activation_of_ones_own_counts_with_its_code():
    x = np.random.default_rng(0).normal(size=(3, 8, 2)).astype("float32")

    def curve(slope):
        runtime.set_seed(0)

        def activation(value):
            return slope * value

        layer = keras.layers.SimpleRNN(3, activation=activation)
        return gradient_per_lag(keras.Sequential([keras.Input((8, 2)), layer]), x)

    whole, half, again = curve(1.0), curve(0.5), curve(1.0)
    np.testing.assert_allclose(half[:, 1:], whole[:, 1:] * 0.5 ** np.arange(1, 8), rtol=1e-4)
    np.testing.assert_array_equal(whole, again)
