"""Encoder-decoders and Transformers: what must not be seen, what they say by themselves, and that they learn."""

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax

from utils import runtime
from utils.generation.beam import beam_search
from utils.models.seq2seq import Translator, alignment, build_seq2seq, build_transformer, teacher_forcing, translate
from utils.runtime import keras
from utils.training.fit import fit

BUILDERS = {
    "RNN": lambda: build_seq2seq(9, 8, 12, cell="RNN"),
    "LSTM": lambda: build_seq2seq(9, 8, 12, cell="LSTM"),
    "GRU, bahdanau": lambda: build_seq2seq(9, 8, 12, attention="bahdanau"),
    "LSTM, general": lambda: build_seq2seq(9, 8, 12, cell="LSTM", attention="general"),
    "minGRU, dot": lambda **lengths: build_seq2seq(9, 8, 12, cell="minGRU", attention="dot", **lengths),
    "Transformer": lambda: build_transformer(9, 8, 12, heads=3, feedforward=16),
}
RNG = np.random.default_rng(0)
SOURCE, SAID = RNG.integers(1, 9, (4, 6)), RNG.integers(1, 8, (4, 5))


def built(name, **lengths):
    runtime.set_seed(0)
    return BUILDERS[name](**lengths)


@pytest.mark.parametrize("name", BUILDERS)
def test_padding_behind_the_source_changes_nothing(name):
    model = built(name)
    padded = np.pad(SOURCE, ((0, 0), (0, 3)))
    np.testing.assert_allclose(model([padded, SAID]), model([SOURCE, SAID]), atol=1e-5)


@pytest.mark.parametrize("name", BUILDERS)
def test_what_is_said_later_changes_nothing_before_and_the_source_matters(name):
    model = built(name)
    later = SAID.copy()
    later[:, 3:] = later[:, 3:] % 7 + 1
    before, after = (model([SOURCE, said]).numpy() for said in (SAID, later))
    np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-5)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 1e-4
    assert np.abs(model([SOURCE % 8 + 1, SAID]).numpy() - before).max() > 1e-4


@pytest.mark.parametrize("name", BUILDERS)
def test_it_says_the_likeliest_symbol_after_what_it_said(name):
    model = built(name)
    lengths = {"lengths": (6, 5)} if name.startswith("minGRU") else {}  # it plans its rounds when it is compiled
    said = translate(built(name, **lengths), SOURCE, begin=1, steps=5)
    for source, words in zip(SOURCE, said, strict=True):
        prefix = [1]
        for word in words:
            best = int(np.argmax(model([source[None], np.array([prefix])]).numpy()[0, -1]))
            assert word == best
            if best == 0:
                break
            prefix.append(best)
        assert np.all(words[len(prefix) :] == 0)


@pytest.mark.parametrize("name", ["LSTM, general", "Transformer"])
def test_beam_search_finds_what_brute_force_finds(name):
    model = built(name)
    translator = Translator(model, begin=1, steps=3)
    for source, greedy in zip(SOURCE, translate(model, SOURCE, begin=1, steps=3), strict=True):
        logits, state = translator.start(source)
        first, *_ = beam_search(translator, state, logits, width=1, steps=3, end=0)
        assert np.array_equal(np.trim_zeros(first.symbols, "b"), np.trim_zeros(greedy, "b"))
        best, *_ = beam_search(translator, state, logits, width=8**3, steps=3, end=0)
        every = itertools.product(range(8), repeat=3)
        texts = [text for text in every if np.all(np.diff(np.equal(text, 0).astype(int)) >= 0)]  # after a 0 only 0
        said = np.array([(1, *text[:-1]) for text in texts])
        logs = log_softmax(model([np.tile(source, (len(said), 1)), said]).numpy(), axis=-1)  # (texts, time, vocabulary)
        logs = np.take_along_axis(logs, np.array(texts)[..., None], axis=-1)[..., 0]
        ended = np.cumsum(np.equal(texts, 0), axis=1) > 1  # after the first 0 nothing is said
        sums = np.where(ended, 0, logs).sum(axis=1)
        text = texts[np.argmax(sums)]
        assert best.symbols == text[: text.index(0) + 1 if 0 in text else 3]
        assert best.log_probability == pytest.approx(sums.max(), abs=1e-4)


def test_the_decoder_begins_with_the_state_of_the_encoder():
    """Step by step with Keras' cells and the model's weights."""
    model = built("LSTM")
    encoder, decoder = (layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    embed_source, embed_said = (layer for layer in model.layers if isinstance(layer, keras.layers.Embedding))
    state = [np.zeros((4, 12), "float32")] * 2
    for symbol in SOURCE.T:
        _, state = encoder.cell(embed_source(symbol), state)
    logits = []
    for symbol in SAID.T:
        h, state = decoder.cell(embed_said(symbol), state)
        logits.append(model.layers[-1](h).numpy())
    np.testing.assert_allclose(model([SOURCE, SAID]), np.stack(logits, axis=1), atol=1e-5)


@pytest.mark.parametrize("codes", [True, False])
def test_without_codes_a_transformer_cannot_tell_the_order_of_the_source(codes):
    runtime.set_seed(0)
    model = build_transformer(9, 8, 12, heads=3, codes=codes)
    change = np.abs(model([SOURCE[:, ::-1], SAID]).numpy() - model([SOURCE, SAID]).numpy()).max()
    assert change > 1e-3 if codes else change < 1e-5


@pytest.mark.parametrize("name", ["GRU, bahdanau", "minGRU, dot", "Transformer"])
def test_attention_is_on_what_is_there(name):
    padded = np.pad(SOURCE, ((0, 0), (0, 2)))
    weights = alignment(built(name), padded, SAID)
    assert weights.shape == ((4, 3, 5, 8) if name == "Transformer" else (4, 5, 8))
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert np.all(weights[..., 6:] == 0)


def test_it_learns_to_turn_a_sequence_round_and_looks_at_the_right_place():
    runtime.set_seed(0)
    rng = np.random.default_rng(0)
    source = rng.integers(1, 7, (1600, 5))
    target = np.pad(source[:, ::-1], ((0, 0), (0, 1)))  # the end is 0
    model = build_seq2seq(7, 8, 32, attention="bahdanau")
    settings = {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "batch_size": 32}
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
    fit(model, ((source, teacher_forcing(target, 7)), target), epochs=8, optimizer=optimizer, **settings)
    new = rng.integers(1, 7, (100, 5))
    assert np.mean((translate(model, new, 7, 6)[:, :5] == new[:, ::-1]).all(axis=1)) > 0.9


def test_teacher_forcing_is_one_step_late():
    assert teacher_forcing([[3, 4, 0]], 9).tolist() == [[9, 3, 4]]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="cell is 'GRU2'"):
        build_seq2seq(5, 5, cell="GRU2")
    with pytest.raises(ValueError, match="attention 'cosine'"):
        build_seq2seq(5, 5, attention="cosine")
    with pytest.raises(ValueError, match="give it an attention"):
        build_seq2seq(5, 5, cell="minGRU")
    with pytest.raises(ValueError, match="at least 1 each"):
        build_seq2seq(5, 0)
    with pytest.raises(ValueError, match="width is 30 with 4 heads"):
        build_transformer(5, 5, 30)
    with pytest.raises(ValueError, match="no attention"):
        alignment(built("RNN"), SOURCE, SAID)
