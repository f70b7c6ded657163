"""The NumPy cells against Keras with the same weights, forward, and against TensorFlow's gradient tape, backward."""

import numpy as np
import pytest

from utils.models import numpy_cells as cells
from utils.runtime import keras, tf

BATCH, TIME, FEATURES, UNITS = 3, 7, 2, 5


def keras_layer(name: str, **kwargs):
    """A float64 layer with random weights, biases included, and an input for it."""
    rng = np.random.default_rng(0)
    layer = getattr(keras.layers, name)(UNITS, return_sequences=True, dtype="float64", **kwargs)
    layer.build((None, TIME, FEATURES))
    layer.set_weights([rng.normal(scale=0.7, size=w.shape) for w in layer.get_weights()])
    return layer, rng.normal(size=(BATCH, TIME, FEATURES))


CASES = {
    "rnn": ("SimpleRNN", {}, cells.rnn_forward, cells.rnn_backward, {}),
    "lstm": ("LSTM", {}, cells.lstm_forward, cells.lstm_backward, {}),
    "gru reset after": ("GRU", {"reset_after": True}, cells.gru_forward, cells.gru_backward, {}),
    "gru reset before": (
        "GRU",
        {"reset_after": False},
        cells.gru_forward,
        cells.gru_backward,
        {"reset_after": False},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_forward_and_backward_equal_keras_and_the_tape(case):
    name, layer_arguments, forward, backward, arguments = CASES[case]
    layer, x = keras_layer(name, **layer_arguments)
    weight_of_step = np.random.default_rng(1).normal(size=(BATCH, TIME, UNITS))
    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        expected = layer(inputs)
        loss = tf.reduce_sum(expected * weight_of_step)
    expected_gradients = tape.gradient(loss, [inputs, *(v.value for v in layer.trainable_variables)])

    h, *_, cache = forward(x, *layer.get_weights(), **arguments)
    np.testing.assert_allclose(h, expected, atol=1e-12)
    for ours, theirs in zip(backward(weight_of_step, cache), expected_gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_initial_states(name):
    layer, x = keras_layer(name)
    rng = np.random.default_rng(2)
    states = [rng.normal(size=(BATCH, UNITS)) for _ in range(2 if name == "LSTM" else 1)]
    forward = {"SimpleRNN": cells.rnn_forward, "LSTM": cells.lstm_forward, "GRU": cells.gru_forward}[name]
    h = forward(x, *layer.get_weights(), *states)[0]
    np.testing.assert_allclose(h, layer(x, initial_state=states), atol=1e-12)


def test_sigmoid_does_not_overflow():
    with np.errstate(over="raise"):
        np.testing.assert_allclose(cells.sigmoid(np.array([-1000.0, 0.0, 1000.0])), [0, 0.5, 1])


def test_wrong_shapes_are_named():
    layer, x = keras_layer("LSTM")
    kernel, recurrent_kernel, bias = layer.get_weights()
    with pytest.raises(ValueError, match=r"kernel has shape \(2, 15\); expected \(2, 20\)"):
        cells.lstm_forward(x, kernel[:, :15], recurrent_kernel, bias)
    with pytest.raises(ValueError, match=r"bias has shape \(20,\); expected \(2, 15\)"):
        cells.gru_forward(x, kernel[:, :15], recurrent_kernel[:, :15], bias)
    with pytest.raises(ValueError, match=r"expected \(batch, time, features\)"):
        cells.rnn_forward(x[0], kernel, recurrent_kernel, bias)
