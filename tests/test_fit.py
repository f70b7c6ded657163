"""`fit` against Keras' own training loop, and the reused step against a fresh one, bit for bit."""

import warnings

import numpy as np
import pytest

from utils import runtime
from utils.evaluation import gradients
from utils.models.recurrent import build_recurrent
from utils.runtime import keras, tf
from utils.training import compiled
from utils.training.compiled import forget_compiled
from utils.training.divergence import Diverged
from utils.training.fit import fit, predict
from utils.training.study import study


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
    assert len(compiled._compiled) == 2  # a training step and a forward pass
    np.testing.assert_array_equal(weights[0][0], weights[2][0])
    assert not np.array_equal(weights[0][0], weights[1][0])
    fit(build_recurrent("LSTM", 4, 3, features=2, forget_bias=1.0), (x, y), epochs=1, batch_size=16)
    assert len(compiled._compiled) == 3  # without skips it is another architecture


def weighted(w):
    """A loss that closes over its weight."""

    def loss(t, p):
        return w * (t - p) ** 2

    return loss


def first_loss(model=None, loss="mean_squared_error", optimizer="adam") -> float:
    """The loss of the first epoch from the same start."""
    runtime.set_seed(0)
    model = build_recurrent("GRU", 3, features=2) if model is None else model()
    return fit(model, example(), loss=loss, optimizer=optimizer, shuffle=False)["loss"][0]


def alone(*args, **kwargs) -> float:
    """The same where nothing compiled before can serve."""
    forget_compiled()
    return first_loss(*args, **kwargs)


def test_the_loss_is_part_of_what_is_compiled():
    names = ("mean_squared_error", "mean_absolute_error", keras.losses.Huber(0.1), keras.losses.Huber(1.0))
    together = [first_loss(loss=loss) for loss in names]
    assert together == [alone(loss=loss) for loss in names]
    assert len(set(together)) == 4


def test_a_loss_that_closes_over_a_weight_is_trained_with_its_own():
    one, ten, hundred, again = [first_loss(loss=weighted(w)) for w in (1, 10, 100, 1)]
    assert one == alone(loss="mean_squared_error")
    assert [ten / one, hundred / one] == pytest.approx([10, 100], rel=0.05)
    assert again == one


def test_a_study_over_the_weight_of_a_loss():
    def trial(w, seed):
        def loss(t, p):
            return w * (t - p) ** 2

        return {"loss": first_loss(loss=loss)}

    for workers in (1, 2):
        table = study(trial, {"w": [1, 10, 100]}, seeds=1, workers=workers)
        assert (table["loss"] / table["loss"][0]).tolist() == pytest.approx([1, 10, 100], rel=0.05)


def make_loss(factor: float):
    class Mine(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return factor * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    return Mine()


def make_layer(factor: float):
    class Mine(keras.layers.Layer):
        def call(self, x):
            return factor * x

    return Mine()


def make_cell(factor: float):
    class MyCell(keras.layers.SimpleRNNCell):
        def call(self, inputs, states, training=False):
            return super().call(factor * inputs, states, training)

    return keras.layers.RNN(MyCell(3))


def make_regulariser(factor: float):
    @keras.saving.register_keras_serializable("tests")
    class Mine(keras.regularizers.Regularizer):
        def __call__(self, x):
            return factor * keras.ops.sum(keras.ops.square(x))

        def get_config(self):
            return {}

    return Mine()


def make_constraint(factor: float):
    @keras.saving.register_keras_serializable("tests")
    class Mine(keras.constraints.Constraint):
        def __call__(self, w):
            return factor * w

        def get_config(self):
            return {}

    return Mine()


def dense(**kwargs):
    return keras.layers.Dense(3, **kwargs)


PARTS = {
    "layer": make_layer,
    "cell": make_cell,
    "activation": lambda factor: dense(activation=lambda x: factor * x),
    "regulariser": lambda factor: dense(kernel_regularizer=make_regulariser(factor)),
    "constraint": lambda factor: dense(kernel_constraint=make_constraint(factor)),
    "regulariser, a function": lambda factor: dense(bias_regularizer=lambda x: factor * keras.ops.sum(x)),
    "Lambda": lambda factor: keras.layers.Lambda(lambda x: factor * x),
    "time distributed": lambda factor: keras.layers.TimeDistributed(dense(activation=lambda x: factor * x)),
}


def takes_functions() -> bool:
    """Whether this Keras takes a function as a regulariser; 3.13 wants an object."""
    try:
        dense(bias_regularizer=keras.ops.sum).build((None, 2))
    except ValueError:
        return False
    return True


def parts(*names: str) -> list:
    no_functions = pytest.mark.skipif(not takes_functions(), reason="this Keras takes no function as a regulariser")
    return [pytest.param(name, marks=no_functions) if name.endswith("a function") else name for name in names]


@pytest.mark.parametrize("part", parts(*PARTS))
def test_a_part_defined_again_under_the_same_name_is_used(part):
    def model(factor):
        return keras.Sequential([keras.Input((6, 2)), PARTS[part](factor), keras.layers.Flatten(), dense(name="out")])

    def run(factor):
        runtime.set_seed(0)
        made = model(factor)
        x, y = example()
        first = predict(made, x)
        fit(made, (x, y), shuffle=False, batch_size=16)
        return first, made.get_weights()[-2]

    outputs, weights = zip(*[run(factor) for factor in (1.0, 0.5)], strict=True)
    for factor, output, weight in zip((1.0, 0.5), outputs, weights, strict=True):
        forget_compiled()
        expected = run(factor)
        np.testing.assert_array_equal(output, expected[0])
        np.testing.assert_array_equal(weight, expected[1])
    assert not np.array_equal(weights[0], weights[1]) or "regulariser" in part or "constraint" in part
    runtime.set_seed(0)
    made = model(0.5)
    np.testing.assert_allclose(outputs[1], np.asarray(made(example()[0])), atol=1e-6)


@pytest.mark.parametrize("part", parts("regulariser", "constraint", "regulariser, a function"))
def test_a_regulariser_or_constraint_defined_again_is_used(part):
    def weights(factor):
        runtime.set_seed(0)
        model = keras.Sequential([keras.Input((2,)), PARTS[part](factor)])
        fit(model, (np.ones((8, 2)), np.ones((8, 3))), epochs=3, optimizer="sgd")
        return model.get_weights()

    one, half = weights(1.0), weights(0.5)
    assert any(not np.array_equal(a, b) for a, b in zip(one, half, strict=True))
    forget_compiled()
    for a, b in zip(half, weights(0.5), strict=True):
        np.testing.assert_array_equal(a, b)


class Scaled(keras.layers.Layer):
    """Its factor is no part of its configuration."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return self.factor * x


@pytest.mark.parametrize("hidden", [3.0, lambda: 3.0, np.random.default_rng(0)])
def test_what_a_configuration_leaves_out_is_used_all_the_same(hidden):
    """Keras' copy of such a model would have the default. The model itself is then trained."""
    model = keras.Sequential([keras.Input((2,)), Scaled(), dense()])
    model.layers[0].factor = 3.0
    model.layers[0].hidden = hidden
    x = np.ones((4, 2), "float32")
    expected = np.asarray(model(x))
    np.testing.assert_allclose(predict(model, x), expected, atol=1e-6)
    fit(model, (x, np.zeros((4, 3))), epochs=100, optimizer=keras.optimizers.SGD(0.01))
    assert np.abs(np.asarray(model(x))).max() < 0.1 * np.abs(expected).max()


def test_layers_that_share_a_weight_go_on_sharing_it():
    class Tied(keras.layers.Layer):
        def __init__(self, other, **kwargs):
            super().__init__(**kwargs)
            self.other = other

        def call(self, x):
            return x @ keras.ops.transpose(self.other.kernel)

        def get_config(self):
            return {"other": dense()}

    first = dense(use_bias=False)
    model = keras.Sequential([keras.Input((2,)), first, Tied(first)])
    x = np.eye(2, dtype="float32")
    fit(model, (x, x), epochs=200, batch_size=2, optimizer=keras.optimizers.Adam(0.05))
    assert len(model.trainable_variables) == 1
    np.testing.assert_allclose(model(x), x, atol=0.05)


def test_an_error_leaves_a_model_that_is_trained_itself_as_it_was():
    model = keras.Sequential([keras.Input((2,)), Scaled(), dense()])
    model.layers[0].hidden = np.random.default_rng(0)
    before = model.get_weights()

    def interrupted():
        with compiled.borrow(model) as lent:
            assert lent.model is model
            model.layers[1].kernel.assign(np.ones((2, 3)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("setting", ["global_clipnorm", "momentum", "weight_decay"])
def test_the_settings_of_the_optimizer_are_part_of_what_is_compiled(setting):
    def weights(value):
        runtime.set_seed(0)
        model = build_recurrent("GRU", 3, features=2)
        fit(model, example(), epochs=2, batch_size=16, optimizer=keras.optimizers.SGD(0.1, **{setting: value}))
        return model.get_weights()[0]

    one, other = weights(0.01), weights(0.5)
    assert not np.array_equal(one, other)
    forget_compiled()
    np.testing.assert_array_equal(other, weights(0.5))


def test_an_optimizer_defined_again_is_used_and_one_that_hides_a_setting_is_refused():
    def optimizer(factor):
        class Mine(keras.optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                super().update_step(factor * gradient, variable, learning_rate)

        return Mine(0.1)

    def weights(factor):
        runtime.set_seed(0)
        model = build_recurrent("GRU", 3, features=2)
        fit(model, example(), optimizer=optimizer(factor))
        return model.get_weights()[0]

    assert not np.array_equal(weights(1.0), weights(0.0))
    hides = optimizer(1.0)
    hides.extra = 3
    with pytest.raises(ValueError, match=r"'extra' is lost in a copy\. Mine\.get_config\(\) must return"):
        fit(build_recurrent("GRU", 3, features=2), example(), optimizer=hides)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_a_model_that_was_looked_at_before_training_is_compiled_once(cell):
    """A cell that is called by itself, as the probe of gradients does, notes that it has no dropout mask."""
    forget_compiled()
    gradients._compiled.clear()
    for _ in range(2):
        model = build_recurrent(cell, 3, features=2)
        x, y = example()
        gradients.gradient_per_lag(model, x)
        fit(model, (x, y))
        assert len(compiled._compiled) == 1


def test_a_class_of_a_trial_compiles_once_for_all_seeds_and_nothing_piles_up(monkeypatch):
    built = []
    monkeypatch.setattr(compiled.Compiled, "_step", lambda self, x, y: built.append(1) or STEP(self, x, y))
    forget_compiled()

    def trial(factor, seed):
        class Mine(keras.layers.Layer):
            def call(self, x):
                return factor * x

        model = keras.Sequential([keras.Input((6, 2)), Mine(), keras.layers.GRU(2), dense()])
        x, y = example()
        return {"loss": fit(model, (x, y), loss=lambda t, p: factor * (t - p) ** 2)["loss"][-1]}

    study(trial, {"factor": [1.0, 2.0]}, seeds=4, workers=1)
    assert len(built) == 2
    forget_compiled()
    generator = np.random.default_rng(0)
    for _ in range(3):
        first_loss(loss=lambda t, p: (t - p) ** 2 if generator is not None else t)
    assert len(compiled._compiled) == 0
    monkeypatch.setattr(compiled, "KEPT", 2)
    kept = [first_loss(loss=weighted(w)) for w in (1, 2, 3, 1, 3)]
    assert len(compiled._compiled) == 2
    assert kept[:2] + kept[2:3] == [kept[3], kept[1], kept[4]]


STEP = compiled.Compiled._step


def test_a_copy_leaves_the_random_generators_alone():
    class Draws(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            np.random.random()

        def call(self, x):
            return x

    after = []
    for _ in range(2):  # compiled the first time, lent the second
        runtime.set_seed(0)
        model = keras.Sequential([keras.Input((6, 2)), Draws(), keras.layers.GRU(2), dense()])
        predict(model, example()[0])
        after.append(np.random.random())
    assert after[0] == after[1]


def test_predict_leaves_dropout_out():
    runtime.set_seed(0)
    model = build_recurrent("LSTM", 4, features=2, dropout=0.5)
    x, y = example()
    np.testing.assert_allclose(predict(model, x), np.asarray(model(x, training=False)), atol=1e-6)
    history = fit(model, (x, y), validation=(x, y))
    error = np.mean((np.asarray(model(x, training=False)) - y) ** 2)
    assert history["val_loss"][0] == pytest.approx(error, rel=1e-4)


def test_batches_are_drawn_anew_in_every_epoch():
    """A row is told by its target; the loss of a step is the mean of the targets in its batch."""
    seen = []

    def spy(t, p):
        tf.py_function(lambda rows: seen.append(rows.numpy().ravel().tolist()), [t], [])
        return 0.0 * p + t

    class Slow(keras.layers.Layer):  # without XLA, which runs no Python
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_jit = False

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((1,)), Slow(), dense()])
    rows = np.arange(12, dtype="float32")[:, None]
    runtime.set_seed(0)
    fit(model, (rows, rows), epochs=3, batch_size=4, loss=spy)
    epochs = np.reshape(seen, (3, 12)).tolist()
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert epochs[1] != epochs[2]


def explosive(**kwargs):
    runtime.set_seed(0)
    model = build_recurrent("RNN", 4, features=2)
    return fit(model, example(), epochs=4, optimizer=keras.optimizers.SGD(1e30), **kwargs)


def test_a_loss_that_is_no_number_any_more_is_said_once_with_its_epoch():
    with pytest.warns(Diverged, match=r"loss became (NaN|infinite) in epoch 2 of 4") as said:
        history = explosive()
    assert len(said) == 1
    assert said[0].filename == __file__
    assert not np.isfinite(history["loss"][1])
    with pytest.warns(Diverged, match="validation loss became") as said:
        explosive(validation=example())
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explosive(may_diverge=True)
        first_loss()


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
