"""Beam search against all continuations of a small vocabulary, scored by Keras."""

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax

from utils.generation.beam import beam_search, length_penalty
from utils.generation.engine import Engine
from utils.models.recurrent import build_recurrent

SYMBOLS, STEPS, PROMPT = 4, 4, [0, 1, 3]


@pytest.fixture(scope="module")
def model():
    model = build_recurrent("GRU", 5, vocabulary=SYMBOLS, outputs=SYMBOLS, every_step=True)
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(scale=1.5, size=weight.shape) for weight in model.get_weights()])
    return model


def search(model, **settings):
    engine = Engine(model)
    logits, state = engine.read([PROMPT])
    return beam_search(engine, state, logits[0, -1], **settings)


def everything(model, end=None, alpha=0.0):
    """All texts of STEPS symbols, or fewer where one ends, with their log-probability by Keras; best first."""
    texts = np.array(list(itertools.product(range(SYMBOLS), repeat=STEPS)))
    read = np.concatenate([np.tile(PROMPT, (len(texts), 1)), texts], axis=1)
    chances = log_softmax(model(read).numpy().astype(float)[:, len(PROMPT) - 1 : -1], axis=-1)
    each = np.take_along_axis(chances, texts[..., None], axis=-1)[..., 0]  # (texts, steps)
    found = {}
    for text, logs in zip(texts.tolist(), each, strict=True):
        length = text.index(end) + 1 if end in text else STEPS
        found[tuple(text[:length])] = logs[:length].sum()
    return sorted(found.items(), key=lambda item: -item[1] / ((5 + len(item[0])) / 6) ** alpha)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("end", [None, 2])
def test_a_wide_beam_finds_what_trying_everything_finds(model, end, alpha):
    expected = everything(model, end, alpha)
    found = search(model, width=SYMBOLS**STEPS, steps=STEPS, end=end, alpha=alpha)
    assert [hypothesis.symbols for hypothesis in found] == [text for text, _ in expected]
    np.testing.assert_allclose(
        [hypothesis.log_probability for hypothesis in found], [log for _, log in expected], atol=1e-5
    )
    for hypothesis in found:
        penalty = ((5 + len(hypothesis.symbols)) / 6) ** alpha
        assert hypothesis.score == pytest.approx(hypothesis.log_probability / penalty)


def test_a_beam_of_one_is_greedy(model):
    text = list(PROMPT)
    for _ in range(STEPS):
        text.append(int(model(np.array([text])).numpy()[0, -1].argmax()))
    (found,) = search(model, width=1, steps=STEPS)
    assert list(found.symbols) == text[len(PROMPT) :]


def test_a_narrow_beam_gives_true_probabilities_of_texts_that_differ(model):
    known = dict(everything(model, end=2))
    for width in (2, 3, 5):
        found = search(model, width=width, steps=STEPS, end=2)
        assert len({hypothesis.symbols for hypothesis in found}) == len(found) <= width
        for hypothesis in found:
            assert hypothesis.log_probability == pytest.approx(known[hypothesis.symbols], abs=1e-5)
        assert found == sorted(found, key=lambda hypothesis: -hypothesis.score)


def test_without_a_penalty_short_texts_win_and_with_a_strong_one_long_ones(model):
    shortest, longest = (search(model, width=64, steps=STEPS, end=1, alpha=alpha)[0] for alpha in (0.0, 10.0))
    assert (len(shortest.symbols), len(longest.symbols)) == (1, STEPS)


def test_the_penalty_is_that_of_wu_et_al():
    assert length_penalty(1, 0.6) == 1
    assert length_penalty(7, 0.5) == pytest.approx(2**0.5)
    assert length_penalty(100, 0) == 1


def test_bad_settings_are_refused_in_words(model):
    for settings in ({"width": 0, "steps": 3}, {"width": 2, "steps": 0}):
        with pytest.raises(ValueError, match="expected at least 1 of each"):
            search(model, **settings)
    for end in (4, -1, "."):
        with pytest.raises(ValueError, match="expected one of the symbols 0 to 3, or None"):
            search(model, width=2, steps=2, end=end)
    engine = Engine(model)
    logits, state = engine.read([PROMPT, PROMPT])
    with pytest.raises(ValueError, match="state has 2 streams"):
        beam_search(engine, state, logits[0, -1], width=2, steps=2)
    with pytest.raises(ValueError, match=r"logits the shape \(1, 4\)"):
        beam_search(engine, state.take([0]), logits[:1, -1], width=2, steps=2)
