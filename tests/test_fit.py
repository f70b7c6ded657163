"""`fit` against Keras' own training loop, and the reused step against a fresh one, bit for bit."""

import numpy as np
import pytest

from utils import runtime
from utils.models.recurrent import build_recurrent
from utils.runtime import keras
from utils.training import fit as fit_module
from utils.training.fit import fit, forget_compiled, predict


def example(n: int = 48, time: int = 6):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, time, 2)).astype("float32")
    return x, x.sum(axis=(1, 2), keepdims=True)[:, 0]


def train(seed: int, **kwargs):
    runtime.set_seed(seed)
    model = build_recurrent("LSTM", 4, features=2, dropout=0.2)
    history = fit(model, example(), epochs=3, batch_size=16, **kwargs)
    return history, [w.copy() for w in model.get_weights()]


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_equals_keras(cell):
    x, y = example()
    runtime.set_seed(1)
    ours = build_recurrent(cell, 4, features=2)
    theirs = keras.models.clone_model(ours)
    theirs.set_weights(ours.get_weights())

    def optimizer():
        return keras.optimizers.Adam(0.01, global_clipnorm=0.5)

    theirs.compile(optimizer(), "mean_squared_error", jit_compile=False)
    expected = theirs.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0, validation_data=(x, y)).history
    history = fit(ours, (x, y), batch_size=16, epochs=3, shuffle=False, optimizer=optimizer(), validation=(x, y))
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(predict(ours, x), ours.predict(x, verbose=0), atol=1e-6)


def test_classification_equals_keras():
    x = np.random.default_rng(0).integers(0, 5, size=(32, 6))
    y = x[:, -1]
    runtime.set_seed(2)
    ours = build_recurrent("GRU", 4, vocabulary=5, outputs=5, activation="softmax")
    theirs = keras.models.clone_model(ours)
    theirs.set_weights(ours.get_weights())
    theirs.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    expected = theirs.fit(x, y, batch_size=8, shuffle=False, verbose=0).history
    history = fit(ours, (x, y), batch_size=8, shuffle=False, loss="sparse_categorical_crossentropy")
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)


def test_reused_step_equals_a_fresh_one_bit_for_bit():
    fresh = {}
    for seed in (0, 1):
        forget_compiled()
        fresh[seed] = train(seed)
    forget_compiled()
    train(7)  # compiles the step that the next two reuse
    for seed in (0, 1):
        history, weights = train(seed)
        assert history == fresh[seed][0]
        for a, b in zip(weights, fresh[seed][1], strict=True):
            np.testing.assert_array_equal(a, b)


def test_learning_rate_and_initialisers_do_not_leak_into_the_shared_step():
    forget_compiled()
    slow = train(0, optimizer=keras.optimizers.SGD(0.0))[1]
    fast = train(0, optimizer=keras.optimizers.SGD(0.1))[1]
    forget_compiled()
    alone = train(0, optimizer=keras.optimizers.SGD(0.1))[1]
    assert not np.array_equal(slow[0], fast[0])
    np.testing.assert_array_equal(fast[0], alone[0])


def test_different_architectures_do_not_share_a_step():
    x, y = example()
    for kwargs in ({"cell": "LSTM"}, {"cell": "GRU"}, {"cell": "LSTM", "layers": 2}, {"cell": "LSTM", "dropout": 0.5}):
        runtime.set_seed(0)
        model = build_recurrent(units=4, features=2, **kwargs)
        shared = fit(model, (x, y))
        forget_compiled()
        runtime.set_seed(0)
        model = build_recurrent(units=4, features=2, **kwargs)
        assert fit(model, (x, y)) == shared


def test_residual_models_share_one_step_whatever_their_names_and_starts():
    forget_compiled()
    x, y = example()
    weights = []
    for forget_bias in (1.0, 3.0, 1.0):
        runtime.set_seed(0)
        model = build_recurrent("LSTM", 4, 3, features=2, residual=True, forget_bias=forget_bias)
        fit(model, (x, y), epochs=2, batch_size=16)
        predict(model, x)
        weights.append(model.get_weights())
    kept = [key for key in fit_module._compiled if "Add" in key]
    assert len(kept) == 2  # a training step and a forward pass
    np.testing.assert_array_equal(weights[0][0], weights[2][0])
    assert not np.array_equal(weights[0][0], weights[1][0])
    fit(build_recurrent("LSTM", 4, 3, features=2, forget_bias=1.0), (x, y), epochs=1, batch_size=16)
    assert len(fit_module._compiled) == 3  # without skips it is another architecture


def test_an_error_while_training_leaves_the_model_as_it_was():
    x, y = example()
    model = build_recurrent("LSTM", 4, features=2)
    before = model.get_weights()
    with pytest.raises(Exception, match=r"[Ss]hape|incompatible|dimension"):
        fit(model, (x[:, :, :1], y))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_keep_best_ends_with_the_best_epoch():
    x, y = example()
    runtime.set_seed(0)
    model = build_recurrent("GRU", 4, features=2)
    rate = keras.optimizers.Adam(0.3)  # bumpy on purpose
    history = fit(model, (x[:32], y[:32]), epochs=12, optimizer=rate, validation=(x[32:], y[32:]), keep_best=True)
    assert min(history["val_loss"]) < history["val_loss"][-1]
    error = np.mean((predict(model, x[32:]) - y[32:]) ** 2)
    assert error == pytest.approx(min(history["val_loss"]), rel=1e-5)


def test_until_stops_at_the_first_epoch_that_is_good_enough():
    x, y = example()
    histories = []
    for until in (None, 0.0):
        runtime.set_seed(0)
        model = build_recurrent("GRU", 4, features=2)
        if until is not None:  # the loss after the third epoch of the first run
            until = histories[0][2]
        histories.append(fit(model, (x, y), epochs=8, validation=(x, y), until=until)["val_loss"])
    assert len(histories[0]) == 8
    assert histories[0] == sorted(histories[0], reverse=True)
    assert histories[1] == histories[0][:3]


def test_several_inputs():
    first, second = keras.Input((6, 2)), keras.Input((3,))
    joined = keras.layers.Concatenate()([keras.layers.GRU(3)(first), second])
    model = keras.Model([first, second], keras.layers.Dense(1)(joined))
    x, y = example()
    extra = np.random.default_rng(1).normal(size=(48, 3)).astype("float32")
    history = fit(model, ((x, extra), y), epochs=20, optimizer=keras.optimizers.Adam(0.02))
    assert history["loss"][-1] < history["loss"][0]
    assert predict(model, (x, extra)).shape == (48, 1)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"data": (np.zeros((4, 3, 2)), np.zeros(5))}, "4 inputs and 5 targets"),
        ({"data": (np.zeros((0, 3, 2)), np.zeros(0))}, "at least 1"),
        ({"data": (np.full((4, 3, 2), np.nan), np.zeros(4))}, "x holds NaN"),
        ({"data": (np.zeros((4, 3, 2)), np.array([0, 1, np.inf, 0]))}, "y holds NaN or infinity"),
        ({"data": np.zeros((4, 3, 2))}, "expected a pair"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"keep_best": True}, "keep_best and until need validation"),
        ({"until": 0.1}, "keep_best and until need validation"),
    ],
)
def test_bad_input_is_named(kwargs, message):
    model = build_recurrent("RNN", 2, features=2)
    arguments = {"data": (np.zeros((4, 3, 2)), np.zeros(4)), **kwargs}
    with pytest.raises(ValueError, match=message):
        fit(model, **arguments)


def test_a_model_without_inputs_is_refused():
    with pytest.raises(ValueError, match=r"keras\.Input"):
        fit(keras.Sequential([keras.layers.LSTM(2)]), example())
