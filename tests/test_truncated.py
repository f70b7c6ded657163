"""Truncated backpropagation against Keras' stateful layers and against the gradient tape written out by hand."""

import warnings

import numpy as np
import pytest

from utils import runtime
from utils.models.recurrent import build_recurrent
from utils.runtime import keras, tf
from utils.training.divergence import Diverged
from utils.training.fit import fit
from utils.training.truncated import fit_truncated

ROWS, LENGTH, BLOCKS = 4, 6, 5


def series(seed: int = 0):
    """Consecutive blocks of one series per row."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, LENGTH * BLOCKS, 2)).astype("float32")
    y = np.cumsum(x.sum(2, keepdims=True), axis=1).astype("float32") / 5
    return [(x[:, i : i + LENGTH], y[:, i : i + LENGTH]) for i in range(0, x.shape[1], LENGTH)]


def model(cell: str = "LSTM", layers: int = 2):
    runtime.set_seed(1)
    return build_recurrent(cell, 3, layers, features=2, every_step=True)


def sgd():
    return keras.optimizers.SGD(0.1, global_clipnorm=1.0)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_equals_stateful_keras(cell):
    ours = model(cell)
    theirs = keras.Sequential([keras.Input(batch_shape=(ROWS, LENGTH, 2))])
    for layer in ours.layers:
        config = layer.get_config()
        theirs.add(type(layer).from_config({**config, "stateful": True} if "stateful" in config else config))
    theirs.set_weights(ours.get_weights())
    theirs.compile(sgd(), "mean_squared_error", jit_compile=False)
    expected = []
    for x, y in series():
        theirs.reset_metrics()  # Keras 3.13 gives the mean over all batches since
        expected.append(float(theirs.train_on_batch(x, y)))
    history = fit_truncated(ours, series(), optimizer=sgd())
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def by_hand(back: int):
    """One layer, the update written out: forward to where learning begins, a constant, then the tape."""
    ours = model(layers=1)
    lstm, head = ours.layers
    loop = keras.layers.LSTM.from_config({**lstm.get_config(), "return_state": True})
    loop.build((ROWS, LENGTH, 2))
    loop.set_weights(lstm.get_weights())
    optimizer = sgd()
    variables = [*loop.trainable_variables, *head.trainable_variables]
    optimizer.build(variables)
    window, losses, state = [], [], [tf.zeros((ROWS, 3)), tf.zeros((ROWS, 3))]
    for x, y in series():
        window = [*window, x][-max(1, back // LENGTH) :]
        if len(window) < back // LENGTH:
            continue
        with tf.GradientTape() as tape:
            if back < LENGTH:
                _, h, c = loop(x[:, :-back], initial_state=state)
                output, *end = loop(x[:, -back:], initial_state=[tf.stop_gradient(h), tf.stop_gradient(c)])
                target = y[:, -back:]
            else:
                output, *end = loop(np.concatenate(window, axis=1), initial_state=state)
                output, target = output[:, -LENGTH:], y
            loss = tf.reduce_mean(tf.square(head(output) - target))
        if back > LENGTH:  # the state at the start of the next window
            _, *end = loop(window[0], initial_state=state)
        optimizer.apply(tape.gradient(loss, variables), variables)
        losses.append(float(loss))
        state = end
    return losses, [*loop.get_weights(), *head.get_weights()]


@pytest.mark.parametrize("back", [1, 2, LENGTH, 2 * LENGTH, 3 * LENGTH])
def test_goes_back_exactly_so_far(back):
    ours = model(layers=1)
    losses, weights = by_hand(back)
    history = fit_truncated(ours, series(), back=back, optimizer=sgd())
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-4)
    for a, b in zip(ours.get_weights(), weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_without_carry_and_in_full_it_is_fit():
    ours, theirs = model(), model()
    blocks = series()
    x, y = (np.concatenate(part) for part in zip(*blocks, strict=True))
    history = fit_truncated(ours, blocks, carry=False, optimizer=sgd())
    expected = fit(theirs, (x, y), batch_size=ROWS, shuffle=False, optimizer=sgd())
    assert np.mean(history["loss"]) == pytest.approx(expected["loss"][0], rel=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_symbols_at_every_step_are_cut_like_numbers():
    """Targets (rows, time) of whole numbers: going back less than a block, the last steps' targets count."""
    runtime.set_seed(0)
    ours = build_recurrent("GRU", 3, vocabulary=5, outputs=5, activation="softmax", every_step=True)
    x = np.random.default_rng(0).integers(0, 5, size=(ROWS, LENGTH))
    probability = np.asarray(ours(x))[np.arange(ROWS)[:, None], np.arange(LENGTH), x]  # of the symbol itself
    sparse = {"loss": "sparse_categorical_crossentropy", "optimizer": sgd()}
    history = fit_truncated(ours, [(x, x)], back=2, **sparse)
    assert history["loss"][0] == pytest.approx(-np.log(probability[:, -2:]).mean(), rel=1e-4)


def test_batch_statistics_are_learned():
    runtime.set_seed(0)
    ours = build_recurrent("LSTM", 3, features=2, every_step=True, sequence_length=LENGTH, normalization="batch")
    fit_truncated(ours, [(x, y[:, :, :1]) for x, y in series()], carry=False, optimizer=sgd())
    x = np.concatenate([x for x, _ in series()])
    mean = ours.layers[0].cell.means["x"].numpy()
    assert np.abs(mean).max() > 0
    assert np.isfinite(ours.predict(x, verbose=0)).all()


def test_one_target_at_the_end_of_a_block():
    runtime.set_seed(0)
    ours = build_recurrent("GRU", 3, vocabulary=5, outputs=2, activation="softmax")
    x = np.random.default_rng(0).integers(0, 5, size=(ROWS, LENGTH))
    blocks = [(x, x[:, -1] % 2)] * 40
    rate = keras.optimizers.Adam(0.05)
    history = fit_truncated(ours, blocks, back=2, carry=False, loss="sparse_categorical_crossentropy", optimizer=rate)
    assert history["loss"][-1] < history["loss"][0] / 4


def test_the_loss_counts_with_what_it_closes_over():
    def first(w):
        return fit_truncated(model(), series(), loss=lambda t, p: w * (t - p) ** 2)["loss"][0]

    one, ten, again = first(1), first(10), first(1)
    assert ten == pytest.approx(10 * one, rel=1e-5)
    assert again == one


def test_a_model_of_which_no_copy_can_be_made_is_trained_itself():
    ours, theirs = model(layers=1), model(layers=1)
    theirs.layers[0].hidden = np.random.default_rng(0)
    assert fit_truncated(ours, series(), back=3)["loss"] == fit_truncated(theirs, series(), back=3)["loss"]
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not theirs.layers[0].return_state


def test_a_loss_that_is_no_number_any_more_is_said_with_its_update():
    def run(**kwargs):
        runtime.set_seed(0)
        ours = build_recurrent("RNN", 3, features=2, every_step=True)
        return fit_truncated(ours, series(), optimizer=keras.optimizers.SGD(1e30), **kwargs)["loss"]

    with pytest.warns(Diverged, match=r"loss became (NaN|infinite) in update 2 of 5") as said:
        losses = run()
    assert len(said) == 1
    assert np.isfinite(losses[0])
    assert not np.isfinite(losses[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(may_diverge=True)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="no blocks"):
        fit_truncated(model(), [])
    with pytest.raises(ValueError, match="back is 8 and a block has 6 steps; expected a multiple of 6, or less"):
        fit_truncated(model(), series(), back=8)
    with pytest.raises(ValueError, match="without carry nothing lies before it"):
        fit_truncated(model(), series(), back=12, carry=False)
    with pytest.raises(ValueError, match=r"A block has shapes \(4, 5, 2\)"):
        fit_truncated(model(), [series()[0], (series()[0][0][:, :5], series()[0][1][:, :5])])
    for wrong in (
        keras.Sequential([keras.Input((LENGTH, 2)), keras.layers.Dense(1)]),
        build_recurrent("LSTM", 3, features=2, every_step=True, bidirectional=True),
        keras.Sequential(
            [
                keras.Input((LENGTH, 2)),
                keras.layers.Bidirectional(keras.layers.GRU(2, return_sequences=True)),
                keras.layers.LSTM(2),
            ]
        ),
    ):
        with pytest.raises(ValueError, match="reads forwards only"):
            fit_truncated(wrong, series())
