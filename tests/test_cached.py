"""A Transformer with a key-value cache against Keras, which reads the whole text at once."""

import numpy as np
import pytest

from utils.generation.cached import CachedTransformer
from utils.generation.engine import Engine
from utils.generation.text import generate
from utils.models.recurrent import build_recurrent
from utils.models.seq2seq import build_causal_transformer
from utils.runtime import keras


def model_of(**more):
    keras.utils.set_random_seed(3)
    settings = {"heads": 4, "layers": 3, "feedforward": 24, "longest": 80} | more
    model = build_causal_transformer(11, 16, **settings)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in model.get_weights()])  # biases too
    return model


def test_logits_are_those_of_keras_at_every_place():
    model = model_of()
    symbols = np.random.default_rng(0).integers(11, size=(4, 60))
    logits, cache = CachedTransformer(model).read(symbols)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, model(symbols).numpy(), atol=2e-5)
    assert (cache.streams, cache.length) == (4, 60)


def test_no_place_looks_at_a_later_one():
    model = model_of()
    symbols = np.random.default_rng(0).integers(11, size=(1, 30))
    other = symbols.copy()
    other[0, 20:] = (other[0, 20:] + 1) % 11
    np.testing.assert_array_equal(model(symbols).numpy()[:, :20], model(other).numpy()[:, :20])


def test_a_text_of_its_own_is_the_one_that_keras_finds_likeliest():
    model = model_of()
    made = generate(CachedTransformer(model), [[1, 2, 3]], 70)
    logits = model(np.concatenate([[[1, 2, 3]], made], axis=1)).numpy()[0]
    np.testing.assert_array_equal(made[0], logits[2:-1].argmax(axis=1))


def test_a_kept_cache_is_not_changed_and_can_be_forked():
    writer = CachedTransformer(model_of())
    _, kept = writer.read([[1, 2, 3], [4, 5, 6]])
    writer.step(kept, [7, 7])
    assert kept.length == 3
    forked, _ = writer.step(kept.take([1, 0, 0]), [1, 1, 4])
    alone = [writer.read([text])[0][0, -1] for text in ([4, 5, 6, 1], [1, 2, 3, 1], [1, 2, 3, 4])]
    np.testing.assert_allclose(forked, alone, atol=1e-5)


def test_the_cache_takes_a_key_and_a_value_of_every_layer_for_every_symbol():
    writer = CachedTransformer(model_of())
    _, cache = writer.read(np.zeros((2, 25), int))
    assert cache.nbytes == 2 * 25 * 3 * 2 * 16 * 4  # streams, symbols, layers, key and value, width, bytes


def changed(model, symbols, **order) -> float:
    """How far the logits of the last place move when the earlier symbols come in another order."""
    other = np.concatenate([symbols[:, 1::-1], symbols[:, 2:]], axis=1)
    return float(np.abs(model(symbols).numpy()[:, -1] - model(other).numpy()[:, -1]).max())


def test_one_block_without_codes_sees_a_bag_and_codes_or_a_recurrent_layer_give_it_order():
    """Attention of one block weighs places by what stands there: without codes the first two can be exchanged."""
    symbols = np.random.default_rng(0).permutation(11)[None, :9]
    assert changed(model_of(layers=1, codes=False), symbols) < 1e-5
    for settings in ({"codes": True}, {"codes": False, "recurrent": "GRU"}, {"recurrent": "LSTM"}):
        assert changed(model_of(layers=1, **settings), symbols) > 1e-3, settings


@pytest.mark.parametrize(("recurrent", "added"), [("LSTM", 4 * 16 * 33), ("GRU", 3 * 16 * 34)])
def test_a_recurrent_layer_below_adds_its_weights_and_looks_at_no_later_place(recurrent, added):
    model, plain = model_of(recurrent=recurrent, codes=False), model_of(codes=False)
    assert model.count_params() == plain.count_params() + added
    symbols = np.random.default_rng(0).integers(11, size=(1, 30))
    other = symbols.copy()
    other[0, 20:] = (other[0, 20:] + 1) % 11
    np.testing.assert_allclose(model(symbols)[:, :20], model(other)[:, :20], atol=1e-5)


def test_a_min_gru_below_reads_the_length_it_is_told():
    assert build_causal_transformer(11, 16, recurrent="minGRU", longest=12).input_shape == (None, 12)


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="recurrent is 'lstm'; expected none or one of RNN, LSTM, GRU, minGRU"):
        build_causal_transformer(5, 16, recurrent="lstm")
    for settings in ({"codes": False}, {"recurrent": "GRU"}, {"recurrent": "minGRU", "longest": 8}):
        with pytest.raises(ValueError, match="with codes and no recurrent layer below"):
            CachedTransformer(build_causal_transformer(5, 16, **settings))
    with pytest.raises(ValueError, match=r"Expected a model of build_causal_transformer\(\)"):
        CachedTransformer(build_recurrent("GRU", 4, vocabulary=5, outputs=5, every_step=True))
    with pytest.raises(ValueError, match="expected an even multiple"):
        build_causal_transformer(5, 10, heads=4)
    writer = CachedTransformer(model_of())
    with pytest.raises(ValueError, match=r"expected one per stream, \(2,\)"):
        writer.step(writer.start(2), [1])
    with pytest.raises(ValueError, match="expected whole numbers from 0 to 10"):
        writer.step(writer.start(1), [11])
    with pytest.raises(ValueError, match="as many as there are position codes"):
        writer.read(np.zeros((1, 81), int))
    with pytest.raises(ValueError, match="streams is 0"):
        writer.start(0)
    with pytest.raises(ValueError, match="does not know a"):
        Engine(model_of())
