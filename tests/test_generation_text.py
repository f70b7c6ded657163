"""Whole texts: what reading again would give, and streams that never wait for one another."""

import numpy as np
import pytest

from utils.evaluation.baselines import ngram_probabilities, ngram_text
from utils.generation.engine import Engine
from utils.generation.sampling import draw, temperature, top_k
from utils.generation.text import generate, generate_until
from utils.models.language_model import build_language_model
from utils.runtime import keras


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(5)
    model = build_language_model(6, 9, embedding=4)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def test_likeliest_text_is_what_keras_gives_when_it_reads_all_again(model):
    prompts = np.array([[1, 2, 3], [5, 0, 4]])
    text = prompts
    for _ in range(25):
        text = np.column_stack([text, model(text).numpy()[:, -1].argmax(axis=1)])
    np.testing.assert_array_equal(generate(Engine(model), prompts, 25), text[:, 3:])


def test_drawn_text_is_what_draw_gives_when_all_is_read_again(model):
    rules, engine = [lambda logits: temperature(logits, 0.7)], Engine(model)
    made = generate(engine, [[1, 2], [3, 3]], 20, rules, rng=np.random.default_rng(8))
    rng, text = np.random.default_rng(8), np.array([[1, 2], [3, 3]])
    for _ in range(20):
        symbols = draw(engine.read(text)[0][:, -1], rules, uniforms=rng.random(2))
        text = np.column_stack([text, symbols])
    np.testing.assert_array_equal(made, text[:, 2:])


def test_without_a_generator_rules_still_hold(model):
    cut = [lambda logits: np.where(np.arange(6) == 2, logits, -np.inf)]
    assert (generate(Engine(model), [[1]], 5, cut) == 2).all()


def test_texts_end_where_they_end_whatever_the_streams(model):
    """Without chance every text from one prompt is the same: the one that a stream alone would write."""
    engine = Engine(model)
    alone = generate(engine, [[1, 2]], 60)[0]
    end = alone[4]
    first = np.flatnonzero(alone == end)[0] + 1
    for streams in (1, 3, 64):
        texts = generate_until(engine, [1, 2], end, 7, streams=streams)
        assert len(texts) == 7
        for text in texts:
            np.testing.assert_array_equal(text, alone[:first])


def test_streams_are_refilled_until_all_texts_are_there(model):
    engine = Engine(model)
    texts = generate_until(engine, [1], 3, 50, rng=np.random.default_rng(0), streams=8, longest=30)
    assert len(texts) == 50
    assert all((text[:-1] != 3).all() and (text[-1] == 3 or len(text) == 30) for text in texts)
    assert len({len(text) for text in texts}) > 3


def test_lengths_of_texts_follow_the_probabilities_of_the_model(model):
    """How often a text ends at once, against the model's own probability."""
    engine = Engine(model)
    rules = [lambda logits: top_k(logits, 6)]
    texts = generate_until(engine, [1], 3, 4000, rules, rng=np.random.default_rng(0), longest=2)
    logits = engine.read([[1]])[0][0, -1].astype(float)
    chance = np.exp(logits[3]) / np.exp(logits).sum()
    assert np.mean([len(text) == 1 for text in texts]) == pytest.approx(chance, abs=3 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda engine: generate(engine, [[1]], 0), "steps is 0"),
        (lambda engine: generate_until(engine, [1], 3, 0), "count is 0"),
        (lambda engine: generate_until(engine, [1], 3, 5, longest=0), "longest 0"),
    ],
)
def test_texts_that_cannot_be_are_refused_in_words(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(Engine(model))


@pytest.mark.parametrize("order", [0, 1, 3])
def test_an_ngram_draws_with_its_probabilities(order):
    rng = np.random.default_rng(order)
    train = rng.choice(5, size=400, p=[0.4, 0.3, 0.2, 0.1, 0.0])  # symbol 4 is never seen
    prompt = [0, 1, 0]
    drawn = [ngram_text(train, prompt, 1, order, 5, rng)[0] for _ in range(3000)]
    expected = [ngram_probabilities(train, [*prompt, symbol], order, 5)[order, -1] for symbol in range(5)]
    assert sum(expected) == pytest.approx(1)
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 3000, expected, atol=0.035)


def test_an_ngram_that_cannot_be_is_refused_in_words():
    text, rng = np.arange(50), np.random.default_rng(0)
    with pytest.raises(ValueError, match="history has 2 values"):
        ngram_text(text, [1, 2], 5, 4, 50, rng)
    with pytest.raises(ValueError, match="numbers up to 49 of 9 symbols"):
        ngram_text(text, text[:4], 5, 4, 9, rng)
