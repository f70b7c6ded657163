"""The normalised LSTM against Keras' normalisation layers, and its kept statistics against NumPy's."""

import numpy as np
import pytest

from utils import runtime
from utils.models.normalized import NormalizedLSTMCell
from utils.models.recurrent import build_recurrent
from utils.runtime import keras
from utils.training.fit import fit, predict

ROWS, STEPS, FEATURES, UNITS = 8, 5, 3, 4


def layer(normalization: str, **kwargs) -> "keras.layers.RNN":
    runtime.set_seed(0)
    cell = NormalizedLSTMCell(UNITS, normalization, STEPS, **kwargs)
    rnn = keras.layers.RNN(cell, return_sequences=True)
    rnn.build((ROWS, STEPS, FEATURES))
    rng = np.random.default_rng(1)
    for weight in [*cell.gains.values(), cell.bias, cell.cell_bias]:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return rnn


def inputs(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(rows, STEPS, FEATURES)).astype("float32")


FIRST_STEP_TWICE = [0, *range(STEPS)]  # as keras.layers.RNN takes them


def by_hand(cell, x, normalize) -> np.ndarray:
    """The equations step by step, with ``normalize(part, values, step)`` as the reference."""

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    kernel, recurrent = cell.kernel.numpy(), cell.recurrent_kernel.numpy()
    for t in FIRST_STEP_TWICE:
        if t == 0:
            h, c, outputs = np.zeros((len(x), UNITS)), np.zeros((len(x), UNITS)), []
        gates = normalize("x", x[:, t] @ kernel, t) + normalize("h", h @ recurrent, t) + cell.bias.numpy()
        i, f, candidate, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        h = sigmoid(o) * np.tanh(normalize("c", c, t) + cell.cell_bias.numpy())
        outputs.append(h)
    return np.stack(outputs, axis=1)


def test_layer_normalization_is_that_of_keras():
    rnn = layer("layer")
    cell = rnn.cell

    def normalize(part, values, _):
        keras_layer = keras.layers.LayerNormalization(center=False, epsilon=cell.epsilon)
        keras_layer.build(values.shape)
        keras_layer.gamma.assign(cell.gains[part])
        return np.asarray(keras_layer(values.astype("float32")))

    np.testing.assert_allclose(rnn(inputs()), by_hand(cell, inputs(), normalize), atol=1e-5)


def keras_batch_normalization(cell):
    """One Keras layer per step and part, so that statistics of each step stay apart."""
    layers = {}

    def normalize(part, values, step, training=True):
        if (part, step) not in layers:
            keras_layer = keras.layers.BatchNormalization(center=False, epsilon=cell.epsilon, momentum=cell.momentum)
            keras_layer.build(values.shape)
            keras_layer.gamma.assign(cell.gains[part])
            layers[part, step] = keras_layer
        return np.asarray(layers[part, step](values.astype("float32"), training=training))

    return normalize


def test_batch_normalization_per_step_is_that_of_keras_in_training_and_after():
    rnn = layer("batch")
    normalize = keras_batch_normalization(rnn.cell)
    np.testing.assert_allclose(rnn(inputs(), training=True), by_hand(rnn.cell, inputs(), normalize), atol=1e-5)
    after = by_hand(rnn.cell, inputs(3), lambda *args: normalize(*args, training=False))
    np.testing.assert_allclose(rnn(inputs(3), training=False), after, atol=1e-5)


def test_steps_beyond_the_last_use_its_statistics():
    rnn = layer("batch")
    long = np.concatenate([inputs(), inputs()], axis=1)
    rnn(inputs(), training=True)
    assert np.isfinite(rnn(long, training=False)).all()
    np.testing.assert_allclose(rnn(long, training=False)[:, :STEPS], rnn(inputs(), training=False), atol=1e-6)


@pytest.mark.parametrize("normalization", ["layer", "batch"])
def test_trains_in_fit_and_survives_saving(normalization, tmp_path):
    runtime.set_seed(0)
    model = build_recurrent("LSTM", 8, features=2, sequence_length=STEPS, normalization=normalization)
    x = np.random.default_rng(0).normal(size=(320, STEPS, 2)).astype("float32")
    history = fit(model, (x, x.sum((1, 2))[:, None]), epochs=20, batch_size=32, optimizer=keras.optimizers.Adam(0.01))
    assert history["loss"][-1] < history["loss"][0] / 5
    if normalization == "batch":
        assert not np.allclose(model.layers[0].cell.means["x"].numpy(), 0)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict(keras.models.load_model(tmp_path / "model.keras"), x), predict(model, x), atol=1e-6
    )


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="Unknown normalization 'weight'; expected one of layer, batch"):
        NormalizedLSTMCell(3, "weight")
    with pytest.raises(ValueError, match="needs to know the number of steps"):
        build_recurrent("LSTM", 3, features=1, normalization="batch")
    with pytest.raises(ValueError, match="normalization is for an LSTM with its default starting bias"):
        build_recurrent("GRU", 3, features=1, normalization="layer")
