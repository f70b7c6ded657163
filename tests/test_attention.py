"""Attention against Keras' own layers, against NumPy, and against what must not be seen."""

import numpy as np
import pytest

from utils.models.attention import KINDS, BahdanauAttention, LuongAttention, MultiHeadAttention, position_codes
from utils.runtime import keras
from utils.training.fit import fit, predict

RNG = np.random.default_rng(0)
QUERY, MEMORY = RNG.normal(size=(3, 4, 6)).astype("float32"), RNG.normal(size=(3, 5, 6)).astype("float32")
MASK = np.arange(5)[None] < np.array([5, 3, 1])[:, None]
LAYERS = {
    "Bahdanau": lambda: BahdanauAttention(7),
    **{kind: lambda kind=kind: LuongAttention(kind) for kind in KINDS},
    "heads": lambda: MultiHeadAttention(2, 5),
}


def softmax(scores, mask=None):
    scores = scores if mask is None else np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def randomised(layer, *inputs):
    """The layer, built, with every weight drawn by chance (biases start at zero, where a fault would not show)."""
    layer(*inputs)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0, 0.4, weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("masked", [False, True])
def test_many_heads_are_those_of_keras(masked):
    mask = MASK if masked else None
    ours = randomised(MultiHeadAttention(2, 5), QUERY, MEMORY)
    theirs = keras.layers.MultiHeadAttention(2, 5)
    theirs(QUERY, MEMORY)
    shapes = [weight.shape for weight in theirs.get_weights()]  # query, key, value, output: kernel and bias of each
    theirs.set_weights([w.reshape(shape) for w, shape in zip(ours.get_weights(), shapes, strict=True)])
    attention_mask = None if mask is None else mask[:, None]
    expected = theirs(QUERY, MEMORY, attention_mask=attention_mask, return_attention_scores=True)
    for got, wanted in zip(ours(QUERY, MEMORY, mask), expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-5)


def test_causal_heads_are_those_of_keras():
    ours = randomised(MultiHeadAttention(2, 5, causal=True), MEMORY, MEMORY)
    theirs = keras.layers.MultiHeadAttention(2, 5)
    theirs(MEMORY, MEMORY)
    shapes = [weight.shape for weight in theirs.get_weights()]
    theirs.set_weights([w.reshape(shape) for w, shape in zip(ours.get_weights(), shapes, strict=True)])
    np.testing.assert_allclose(ours(MEMORY, MEMORY)[0], theirs(MEMORY, MEMORY, use_causal_mask=True), atol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_the_dot_is_that_of_keras(masked):
    mask = MASK if masked else None
    expected = keras.layers.Attention()([QUERY, MEMORY], mask=[None, mask], return_attention_scores=True)
    for got, wanted in zip(LuongAttention("dot")(QUERY, MEMORY, mask), expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-5)


def test_additive_scores_by_the_formula():
    layer = randomised(BahdanauAttention(7), QUERY, MEMORY)
    of_query, of_key, bias, score = layer.get_weights()
    scores = np.tanh((QUERY @ of_query)[:, :, None] + (MEMORY @ of_key + bias)[:, None]) @ score  # (3, 4, 5, 1)
    weights = softmax(scores[..., 0], MASK[:, None])
    read, looked = layer(QUERY, MEMORY, MASK)
    np.testing.assert_allclose(looked, weights, atol=1e-5)
    np.testing.assert_allclose(read, weights @ MEMORY, atol=1e-5)


def test_general_and_concat_by_the_formula():
    general = randomised(LuongAttention("general"), QUERY, MEMORY)
    (kernel,) = general.get_weights()
    scores = np.einsum("bqi,ij,bkj->bqk", QUERY, kernel, MEMORY)
    np.testing.assert_allclose(general(QUERY, MEMORY)[1], softmax(scores), atol=1e-5)

    concat = randomised(LuongAttention("concat", 7), QUERY, MEMORY)
    kernel, vector = concat.get_weights()
    pairs = np.concatenate(
        [np.repeat(QUERY[:, :, None], 5, axis=2), np.repeat(MEMORY[:, None], 4, axis=1)], axis=-1
    )  # (3, 4, 5, 12)
    np.testing.assert_allclose(concat(QUERY, MEMORY)[1], softmax(np.tanh(pairs @ kernel) @ vector), atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_what_is_masked_is_not_seen(name):
    layer = randomised(LAYERS[name](), QUERY, MEMORY)
    changed = np.where(MASK[..., None], MEMORY, 100 * RNG.normal(size=MEMORY.shape)).astype("float32")
    before, weights = layer(QUERY, MEMORY, MASK)
    np.testing.assert_allclose(layer(QUERY, changed, MASK)[0], before, atol=1e-6)
    np.testing.assert_allclose(np.asarray(weights).sum(axis=-1), 1, atol=1e-5)
    assert np.all(np.moveaxis(np.asarray(weights), -1, 1)[~MASK] == 0)
    assert np.abs(layer(QUERY, changed)[0] - before).max() > 0.1  # without the mask it is


def test_the_future_does_not_move_the_past():
    layer = randomised(MultiHeadAttention(2, 5, causal=True), MEMORY, MEMORY)
    later = MEMORY.copy()
    later[:, 3:] += 10
    before, after = (np.asarray(layer(x, x)[0]) for x in (MEMORY, later))
    np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-6)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 0.1


def test_without_the_root_scores_are_larger():
    scaled = randomised(MultiHeadAttention(1, 16), QUERY, MEMORY)
    plain = MultiHeadAttention(1, 16, scaled=False)
    plain(QUERY, MEMORY)
    plain.set_weights(scaled.get_weights())
    looked = [np.asarray(layer(QUERY, MEMORY)[1]) for layer in (scaled, plain)]
    entropy = [-np.sum(weights * np.log(weights + 1e-12), axis=-1).mean() for weights in looked]
    assert entropy[1] < entropy[0]


@pytest.mark.parametrize("name", LAYERS)
def test_a_model_with_attention_trains_compiled_and_is_saved(name, tmp_path):
    inputs = keras.Input((5, 6))
    read, _ = LAYERS[name]()(inputs, inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.ops.mean(read, axis=1)))
    history = fit(model, (np.repeat(MEMORY, 20, 0), np.ones((60, 1))), epochs=20, batch_size=20)
    assert history["loss"][-1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(again, MEMORY), predict(model, MEMORY), atol=1e-6)


def test_codes_of_places_by_the_formula():
    codes = position_codes(50, 8)
    for place, column in ((0, 0), (7, 0), (7, 1), (49, 6), (49, 7)):
        angle = place / 10_000 ** (2 * (column // 2) / 8)
        assert codes[place, column] == pytest.approx(np.cos(angle) if column % 2 else np.sin(angle), abs=1e-6)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="kind is 'cosine'; expected one of dot"):
        LuongAttention("cosine")
    with pytest.raises(ValueError, match="dot needs a query as wide"):
        LuongAttention("dot")(QUERY[..., :4], MEMORY)
    with pytest.raises(ValueError, match="an even width"):
        position_codes(5, 7)
