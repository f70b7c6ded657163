"""Contrastive search against its equation, worked out with Keras for every candidate from the beginning of the text."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine, pdist
from scipy.special import softmax

from tests.networks import random_engine
from utils import runtime
from utils.generation.contrastive import contrastive_search, mean_cosine
from utils.generation.engine import Engine
from utils.generation.text import generate
from utils.models.language_model import build_language_model
from utils.runtime import keras

PROMPTS = np.array([[3, 1, 4], [1, 5, 2], [0, 0, 6]])


def by_equation(model, prompt, steps: int, k: int, alpha: float) -> list[int]:
    """Su et al. (2022), equation 5, reading the whole text again with Keras for every candidate."""
    top = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)][-1]
    both = keras.Model(model.inputs[0], [top.output, *model.outputs])
    text = list(prompt)
    for _ in range(steps):
        states, logits = (array.numpy()[0] for array in both(np.array([text])))
        chances = softmax(logits[-1].astype(float))
        scores = {}
        for v in np.argsort(-chances)[:k]:
            new = both(np.array([[*text, v]]))[0].numpy()[0, -1]
            scores[int(v)] = (1 - alpha) * chances[v] - alpha * max(1 - cosine(new, state) for state in states)
        text.append(max(scores, key=scores.get))
    return text[len(prompt) :]


@pytest.mark.parametrize(("cell", "k", "alpha"), [("LSTM", 4, 0.6), (("GRU", "LSTM"), 3, 0.3), ("GRU", 7, 1.0)])
def test_it_writes_what_its_equation_says(cell, k, alpha):
    runtime.set_seed(0)
    model = build_language_model(7, 6, cell=cell, embedding=4)
    model.set_weights([3 * weight for weight in model.get_weights()])
    made = contrastive_search(Engine(model), PROMPTS, 12, k=k, alpha=alpha)
    assert made.tolist() == [by_equation(model, prompt, 12, k, alpha) for prompt in PROMPTS]


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"k": 1}])
def test_without_a_penalty_or_a_choice_it_is_greedy(settings):
    engine = random_engine(layers=2)
    np.testing.assert_array_equal(contrastive_search(engine, PROMPTS, 40, **settings), generate(engine, PROMPTS, 40))


def test_streams_do_not_see_one_another():
    engine = random_engine("GRU")
    together = contrastive_search(engine, PROMPTS, 30)
    for prompt, text in zip(PROMPTS, together, strict=True):
        np.testing.assert_array_equal(contrastive_search(engine, prompt[None], 30)[0], text)


def test_alone_the_penalty_leaves_no_loop_where_greedy_has_one():
    """With all weight on the penalty no state comes back that can be avoided."""
    engine = random_engine()
    greedy = generate(engine, PROMPTS, 60)
    varied = contrastive_search(engine, PROMPTS, 60, k=9, alpha=1.0)
    assert all(len(set(map(tuple, np.lib.stride_tricks.sliding_window_view(row, 6)))) < 50 for row in greedy)
    assert all(len(set(map(tuple, np.lib.stride_tricks.sliding_window_view(row, 6)))) > 50 for row in varied)


def test_the_mean_cosine_is_that_of_all_pairs():
    engine = random_engine("LSTM", layers=2)
    texts = np.random.default_rng(1).integers(9, size=(3, 20))
    expected = []
    for text in texts:
        state, states = engine.start(), []
        for symbol in text:
            _, state = engine.step(state, [symbol])
            states.append(state.layers[-1][0][0])
        expected.append(np.mean(1 - pdist(states, "cosine")))
    np.testing.assert_allclose(mean_cosine(engine, texts), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0; expected at least 1"),
        ({"k": 0}, "k is 0; expected a whole number from 1 to the 9 symbols"),
        ({"k": 2.5}, "k is 2.5"),
        ({"k": 10}, "k is 10"),
        ({"alpha": 1.2}, "alpha is 1.2; expected a share from 0, which is greedy, to 1"),
        ({"prompts": [1, 2]}, r"the shape \(2,\); expected \(streams, time\)"),
        ({"prompts": [[9]]}, "expected 0 to 8"),
    ],
)
def test_what_cannot_be_is_refused_in_words(settings, message):
    with pytest.raises(ValueError, match=message):
        contrastive_search(random_engine(), **{"prompts": PROMPTS, "steps": 3, **settings})


def test_one_symbol_has_no_pairs():
    with pytest.raises(ValueError, match="at least two steps"):
        mean_cosine(random_engine(), [[1]])
