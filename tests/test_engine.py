"""The NumPy engine against Keras: the same logits, whatever the cell, the depth and the way the text is cut."""

import numpy as np
import pytest

from utils.generation.engine import Engine
from utils.models.recurrent import build_recurrent
from utils.runtime import keras

TEXT = {"vocabulary": 11, "outputs": 11, "every_step": True}


def model_of(cell: str, layers: int = 1, **more):
    keras.utils.set_random_seed(3)
    model = build_recurrent(cell, 7, layers, **TEXT | more)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(scale=0.7, size=weight.shape) for weight in model.get_weights()])  # biases too
    return model


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_logits_are_those_of_keras(cell, layers):
    model = model_of(cell, layers, dropout=0.2)
    symbols = np.random.default_rng(0).integers(11, size=(4, 60))
    logits, _ = Engine(model).read(symbols)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, model(symbols).numpy(), atol=1e-5)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_an_engine_is_made_again_of_its_weights(cell):
    model = model_of(cell, 2)
    weights = Engine(model).weights
    for array, given in zip(
        [weights.embedding, *weights.cells[1][1], *weights.head],
        model.get_weights()[:1] + model.get_weights()[4:],
        strict=True,
    ):
        np.testing.assert_array_equal(array, given)
    symbols = np.random.default_rng(0).integers(11, size=(3, 20))
    np.testing.assert_allclose(Engine(weights).read(symbols)[0], model(symbols).numpy(), atol=1e-5)
    with pytest.raises(ValueError, match=r"Layer 1, .*, has weights of the shapes"):
        Engine(weights._replace(cells=(weights.cells[0], weights.cells[0])))


def test_a_text_in_pieces_gives_what_it_gives_whole():
    engine = Engine(model_of("LSTM", 2))
    symbols = np.random.default_rng(0).integers(11, size=(2, 30))
    whole, end = engine.read(symbols)
    first, state = engine.read(symbols[:, :13])
    second, again = engine.read(symbols[:, 13:], state)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), whole)
    for arrays, others in zip(end.layers, again.layers, strict=True):
        np.testing.assert_array_equal(arrays, others)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_state_that_was_kept_is_not_changed_by_later_steps(cell):
    engine = Engine(model_of(cell, 2))
    _, kept = engine.read([[1, 2, 3]])
    before = [[array.copy() for array in arrays] for arrays in kept.layers]
    left, _ = engine.read([[4, 5]], kept)
    right, _ = engine.read([[6, 5]], kept)
    assert not np.array_equal(left, right)
    np.testing.assert_array_equal(engine.read([[4, 5]], kept)[0], left)
    for arrays, others in zip(kept.layers, before, strict=True):
        np.testing.assert_array_equal(arrays, others)


def test_streams_are_forked_and_refilled_one_by_one():
    engine = Engine(model_of("GRU", 2))
    texts = np.random.default_rng(0).integers(11, size=(3, 9))
    _, state = engine.read(texts)
    forked, _ = engine.step(state.take([2, 0, 0]), [1, 1, 4])
    alone = [engine.read(np.append(texts[i], symbol)[None])[0][0, -1] for i, symbol in ((2, 1), (0, 1), (0, 4))]
    np.testing.assert_allclose(forked, alone, atol=1e-6)

    refilled, _ = engine.step(state.refill([1], engine.start(1)), [5, 5, 5])
    np.testing.assert_allclose(refilled[1], engine.read([[5]])[0][0, 0], atol=1e-6)
    np.testing.assert_allclose(refilled[[0, 2]], engine.step(state, [5, 5, 5])[0][[0, 2]], atol=1e-6)
    with pytest.raises(ValueError, match="2 streams are named and 1 given"):
        state.refill([0, 1], engine.start(1))


def test_many_streams_give_what_each_gives_alone():
    engine = Engine(model_of("LSTM"))
    texts = np.random.default_rng(0).integers(11, size=(64, 20))
    together, _ = engine.read(texts)
    for i in (0, 31, 63):
        np.testing.assert_allclose(together[i], engine.read(texts[i : i + 1])[0][0], atol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            lambda: build_recurrent("LSTM", 4, features=2, every_step=True),
            "does not know a LSTM there; expected a Sequential",
        ),
        (
            lambda: keras.Sequential([keras.layers.Embedding(5, 3), keras.layers.Dense(5)]),
            "does not know a Dense there",
        ),
        (lambda: build_recurrent("minGRU", 4, **TEXT), "does not know a MinimalRNN"),
        (lambda: build_recurrent("LSTM", 4, bidirectional=True, **TEXT), "does not know a Bidirectional"),
        (lambda: build_recurrent("LSTM", 4, 2, residual=True, **TEXT), "does not know a Functional there"),
        (
            lambda: build_recurrent("LSTM", 4, activation="softmax", **TEXT),
            "activation='softmax'; the engine follows",
        ),
        (lambda: build_recurrent("LSTM", 4, mask_zero=True, **TEXT), "mask_zero=True"),
        (lambda: build_recurrent("LSTM", 4, **TEXT | {"every_step": False}), "return_sequences=False"),
        (lambda: sequential(keras.layers.GRU(4, return_sequences=True, reset_after=False)), "reset_after=False"),
        (lambda: sequential(keras.layers.LSTM(4, return_sequences=True, activation="relu")), "activation='relu'"),
    ],
)
def test_a_model_that_the_engine_would_get_wrong_is_refused_in_words(model, message):
    with pytest.raises(ValueError, match=message):
        Engine(model())


def sequential(layer):
    return keras.Sequential([keras.Input((None,)), keras.layers.Embedding(5, 3), layer, keras.layers.Dense(5)])


def test_symbols_that_do_not_fit_are_refused_in_words():
    engine = Engine(model_of("GRU"))
    state = engine.start(2)
    for symbols in (3, [3], [1, 2, 3]):
        with pytest.raises(ValueError, match=r"expected one per stream, \(2,\)"):
            engine.step(state, symbols)
    with pytest.raises(ValueError, match="symbols holds float64; expected whole numbers"):
        engine.step(state, [1.0, 2.0])
    for symbols in ([0, 11], [-1, 0]):
        with pytest.raises(ValueError, match="expected 0 to 10"):
            engine.step(state, symbols)
    for symbols in ([1, 2], [[]]):
        with pytest.raises(ValueError, match=r"expected \(streams, time\)"):
            engine.read(symbols)
    with pytest.raises(ValueError, match="streams is 0"):
        engine.start(0)
