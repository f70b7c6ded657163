"""minGRU and minLSTM: the scan against the equations taken step by step, forward and backward."""

import numpy as np
import pytest

from utils import runtime
from utils.models.minimal import CELLS, MinimalRNN, all_states
from utils.models.recurrent import build_recurrent
from utils.runtime import keras, tf
from utils.training.fit import fit, predict

ROWS, FEATURES, UNITS = 3, 2, 4


def layer(cell: str) -> MinimalRNN:
    runtime.set_seed(0)
    minimal = MinimalRNN(UNITS, cell, return_sequences=True)
    minimal.build((ROWS, None, FEATURES))
    rng = np.random.default_rng(1)
    for weight in minimal.weights:
        weight.assign(rng.normal(size=weight.shape))
    return minimal


def step_by_step(minimal: MinimalRNN, x):
    """The equations of the paper, with a state that waits for the one before."""
    parts = tf.split(x @ minimal.kernel, 3 if minimal.cell == "minLSTM" else 2, axis=-1)
    candidate = parts[0] + minimal.candidate_bias
    h, states = tf.zeros((x.shape[0], UNITS), x.dtype), []
    for t in range(x.shape[1]):
        if minimal.cell == "minGRU":
            z = tf.sigmoid(-(parts[1] + minimal.keep_bias_weight))[:, t]
            h = (1 - z) * h + z * candidate[:, t]
        else:
            f = tf.sigmoid(parts[1] + minimal.keep_bias_weight)[:, t]
            i = tf.sigmoid(parts[2] + minimal.input_bias)[:, t]
            h = f / (f + i) * h + i / (f + i) * candidate[:, t]
        states.append(h)
    return tf.stack(states, axis=1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("length", [1, 2, 7, 64, 500])
def test_parallel_equals_sequential(cell, length):
    minimal = layer(cell)
    x = tf.constant(np.random.default_rng(2).normal(size=(ROWS, length, FEATURES)), tf.float32)
    weight = tf.constant(np.random.default_rng(3).normal(size=(ROWS, length, UNITS)), tf.float32)
    results = []
    for forward in (minimal, lambda x: step_by_step(minimal, x)):
        with tf.GradientTape() as tape:
            states = forward(x)
            loss = tf.reduce_mean(states * weight)
        results.append([states, *tape.gradient(loss, minimal.trainable_variables)])
    for parallel, sequential in zip(*results, strict=True):
        np.testing.assert_allclose(parallel, sequential, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 3, 6, 33])
def test_the_rounds_are_compiled_for_any_number_of_rows(length):
    """By XLA, forward and backward, as `fit` does it; the reference is the loop in NumPy."""

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec([None, length, UNITS])] * 2)
    def compiled(keep, new):
        with tf.GradientTape() as tape:
            tape.watch([keep, new])
            states = all_states(keep, new)
        return states, *tape.gradient(states, [keep, new], unconnected_gradients="zero")  # one step: no state is kept

    rng = np.random.default_rng(4)
    keep, new = rng.uniform(size=(ROWS, length, UNITS)), rng.normal(size=(ROWS, length, UNITS))
    h, state = np.zeros((ROWS, length, UNITS)), np.zeros((ROWS, UNITS))
    for t in range(length):
        h[:, t] = state = keep[:, t] * state + new[:, t]
    back, per_new = np.zeros((ROWS, UNITS)), np.zeros_like(h)
    for t in reversed(range(length)):  # the gradient of the sum of all states
        per_new[:, t] = back = 1 + (keep[:, t + 1] * back if t + 1 < length else 0)
    per_keep = per_new * np.concatenate([np.zeros((ROWS, 1, UNITS)), h[:, :-1]], axis=1)
    for ours, theirs in zip(compiled(keep, new), (h, per_keep, per_new), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_keeps_as_long_as_its_bias_says(cell):
    """Without input both keep sigmoid(b) of their state at each step."""
    minimal = MinimalRNN(1, cell, keep_bias=3.0)
    minimal.build((1, 1, FEATURES))
    keep, _ = minimal.chain(np.zeros((1, 1, FEATURES), "float32"))
    assert float(keep[0, 0, 0]) == pytest.approx(1 / (1 + np.exp(-3.0)), rel=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_trains_in_fit_and_survives_saving(cell, tmp_path):
    runtime.set_seed(0)
    model = build_recurrent(cell, 16, 2, features=2, sequence_length=12)
    x = np.random.default_rng(0).normal(size=(320, 12, 2)).astype("float32")
    history = fit(model, (x, x.sum((1, 2))[:, None]), epochs=30, batch_size=32, optimizer=keras.optimizers.Adam(0.01))
    assert history["loss"][-1] < history["loss"][0] / 4
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(again, x), predict(model, x), atol=1e-5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="Unknown cell 'GRU'; expected one of minGRU, minLSTM"):
        MinimalRNN(3, "GRU")
    with pytest.raises(ValueError, match="a minGRU takes forget_bias"):
        build_recurrent("minGRU", 3, features=1, longest=10)
    unknown = build_recurrent("minGRU", 3, features=1)
    with pytest.raises(ValueError, match="must know the number of time steps"):
        predict(unknown, np.zeros((2, 5, 1)))
