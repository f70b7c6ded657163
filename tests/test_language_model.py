"""Language models: what is built, how it is trained on a long text, and that the engine follows a tied head too."""

import numpy as np
import pytest

from utils import runtime
from utils.datasets.windows import text_blocks, text_stretches
from utils.generation.engine import Engine
from utils.models.language_model import build_language_model
from utils.runtime import keras
from utils.training.compiled import forget_compiled
from utils.training.fit import fit
from utils.training.language import fit_language_model, recipe
from utils.training.truncated import fit_truncated

CYCLE = np.tile([0, 1, 2, 3, 1, 4], 201)  # after a 1 comes 2 or 4, as what came before says


@pytest.fixture(autouse=True)
def seed():
    runtime.set_seed(0)


def untied_parameters(vocabulary, units, layers, embedding, gates):
    first = gates * (units * (embedding + units) + units)
    others = gates * (units * 2 * units + units) * (layers - 1)
    return vocabulary * embedding + first + others + (units + 1) * vocabulary


@pytest.mark.parametrize(("cell", "gates"), [("LSTM", 4), ("RNN", 1)])
@pytest.mark.parametrize("layers", [1, 2])
def test_parameters_by_the_arithmetic(cell, gates, layers):
    model = build_language_model(9, 7, layers, cell=cell, embedding=5, dropout=0.1)
    assert model.count_params() == untied_parameters(9, 7, layers, 5, gates)
    assert model(np.zeros((2, 3), int)).shape == (2, 3, 9)


def test_a_tied_head_is_the_embedding_once_more():
    model = build_language_model(9, 7, embedding=7, tied=True)
    assert model.count_params() == 9 * 7 + 4 * (7 * 14 + 7)
    symbols = np.random.default_rng(0).integers(9, size=(2, 6))
    states = symbols
    for layer in model.layers[1:]:  # the vectors, their scale, the LSTM
        states = layer(states)
    np.testing.assert_allclose(model(symbols), states.numpy() @ model.get_weights()[0].T, atol=1e-5)


def test_a_mixed_stack_is_trained_with_a_carried_state_and_followed_by_the_engine():
    runtime.set_seed(0)
    model = build_language_model(5, 6, cell=("GRU", "LSTM"), embedding=4)
    text = np.tile([0, 1, 2, 3, 1, 4], 100)
    losses = fit_language_model(model, text, updates=30, rows=4, length=8)["loss"]
    assert losses[-1] < 0.7 * losses[0]
    np.testing.assert_allclose(Engine(model).read(text[None, :40])[0], model(text[None, :40]), atol=1e-5)


def test_a_min_gru_reads_stretches_of_the_length_it_is_told():
    runtime.set_seed(0)
    model = build_language_model(5, 6, cell=("minGRU", "LSTM"), embedding=4, sequence_length=8)
    assert model.input_shape == (None, 8)
    x, y = text_stretches(np.tile([0, 1, 2, 3, 1, 4], 100), 8)
    losses = fit(model, (x, y), epochs=4, batch_size=8, **recipe(36))["loss"]
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="does not know a MinimalRNN"):
        Engine(model)


def test_a_tied_model_is_trained_on_stretches():
    model = build_language_model(5, 16, embedding=16, tied=True)
    x, y = CYCLE[:1200].reshape(100, 12), CYCLE[1:1201].reshape(100, 12)
    history = fit(model, (x, y), epochs=40, batch_size=20, **recipe(updates=200))
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert (model(x).numpy().argmax(axis=-1) == y)[:, 1:].mean() > 0.99  # from the second symbol on it can be told


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_the_engine_follows_a_tied_head(cell):
    model = build_language_model(9, 7, 2, cell=cell, embedding=7, tied=True, dropout=0.3)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(scale=0.7, size=weight.shape) for weight in model.get_weights()])
    symbols = rng.integers(9, size=(3, 40))
    np.testing.assert_allclose(Engine(model).read(symbols)[0], model(symbols).numpy(), atol=1e-5)


def test_the_embedding_starts_loud_and_a_tied_one_gives_moderate_logits():
    vectors = build_language_model(400, 32).get_weights()[0]
    assert vectors.std() == pytest.approx(1, abs=0.05)
    logits = build_language_model(400, 32, embedding=32, tied=True)(np.arange(400)[None]).numpy()
    assert logits.std() < 1


def test_forget_bias_is_where_it_belongs():
    bias = build_language_model(5, 4, forget_bias=3).layers[1].get_weights()[2]
    np.testing.assert_array_equal(bias, [0] * 4 + [3] * 4 + [0] * 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "QRNN"}, "Unknown cell 'QRNN'"),
        ({"units": 0}, "units is 0"),
        ({"cell": "GRU", "forget_bias": 1}, "a GRU has no forget gate"),
        ({"tied": True}, "embedding=32, units=128"),
    ],
)
def test_models_that_cannot_be_are_refused_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_language_model(**{"vocabulary": 5} | arguments)


def test_blocks_go_on_from_one_another_and_begin_again():
    blocks = list(text_blocks(np.arange(23), rows=2, length=4, updates=3))  # parts of 11: two blocks in one pass
    np.testing.assert_array_equal(blocks[0][0], [[0, 1, 2, 3], [11, 12, 13, 14]])
    np.testing.assert_array_equal(blocks[0][1], [[1, 2, 3, 4], [12, 13, 14, 15]])
    np.testing.assert_array_equal(blocks[1][0], [[4, 5, 6, 7], [15, 16, 17, 18]])
    np.testing.assert_array_equal(blocks[2][0], blocks[0][0])
    with pytest.raises(ValueError, match="8 symbols; 2 rows of 4"):
        next(text_blocks(np.arange(8), rows=2, length=4, updates=1))


def test_training_learns_and_measures_what_it_says():
    model = build_language_model(5, 16, embedding=8)
    history = fit_language_model(
        model, CYCLE, updates=60, rows=4, length=12, rate=0.02, validation=CYCLE[:400], every=25
    )
    assert len(history["loss"]) == 60
    assert len(history["val_loss"]) == 3  # after 25, 50 and the last
    assert min(history["val_loss"]) < 0.1
    x, y = CYCLE[:256][None], CYCLE[1:257][None]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(x))
    assert float(loss) == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_the_best_weights_on_the_validation_part_are_kept():
    rng = np.random.default_rng(0)
    noise, other = rng.integers(5, size=300), rng.integers(5, size=300)  # nothing to learn: it can only get worse
    model = build_language_model(5, 32, embedding=8)
    history = fit_language_model(model, noise, updates=200, rows=4, length=10, validation=other, every=20)
    assert min(history["val_loss"]) < history["val_loss"][-1]
    x, y = other[:256][None], other[1:257][None]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, model(x))
    assert float(loss) == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_measuring_does_not_change_what_is_learned():
    def train(**validation):
        runtime.set_seed(3)
        model = build_language_model(5, 8, embedding=4)
        blocks = text_blocks(CYCLE, 4, 10, 12)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return fit_truncated(model, blocks, loss=loss, **validation)["loss"], model.get_weights()

    losses, weights = train()
    forget_compiled()
    x, y = CYCLE[:20][None], CYCLE[1:21][None]
    again, same = train(validation=(x, y), every=5)
    assert losses == again
    for a, b in zip(weights, same, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_rate_is_raised_and_let_down():
    """By the arithmetic of the schedule, read off from plain SGD's place in AdamW: the first update has a rate of 0."""
    model = build_language_model(5, 8, embedding=4)
    before = model.get_weights()
    fit_language_model(model, CYCLE, updates=10, rows=2, length=5, rate=1e-30)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"updates": 9}, "updates is 9"), ({"updates": 10, "every": 0}, "every is 0"), ({"rows": 2000}, "rows of 32")],
)
def test_training_that_cannot_be_is_refused_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_language_model(build_language_model(5, 4), CYCLE, **arguments)


def test_keep_best_needs_something_to_measure():
    with pytest.raises(ValueError, match="keep_best"):
        fit_truncated(build_language_model(5, 4), text_blocks(CYCLE, 2, 5, 2), keep_best=True)
