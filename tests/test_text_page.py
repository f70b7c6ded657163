"""What ``site/play/text.html`` carries: written whole or not at all, read back as it was, and small enough."""

from collections import Counter, defaultdict
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import text_page
from utils.datasets.corpora import Vocabulary, build_vocabulary, load_bible
from utils.datasets.windows import text_stretches
from utils.evaluation.baselines import ngram_probabilities
from utils.evaluation.metrics import bits_per_character
from utils.evaluation.text import invented, repetition, words
from utils.evaluation.trials import text_bits
from utils.generation.engine import Engine
from utils.generation.sampling import temperature
from utils.generation.stored import fingerprint, load_engine
from utils.generation.text import generate
from utils.models.recurrent import build_recurrent
from utils.runtime import keras
from utils.serving import MODEL

VOCABULARY = Vocabulary("\n abcde<”")
HUMAN = {"n": 8, "length": 400, "low": 0.01, "high": 0.05}
EMPTY = '<html>\n<script id="model" type="application/json"></script>\n<p>\\1</p></html>\n'
TRAIN = np.random.default_rng(0).integers(0, len(VOCABULARY), 300)


def small_model(cell="LSTM", units=8, layers=1, vocabulary=9):
    return build_recurrent(cell, units, layers, vocabulary=vocabulary, embedding=4, outputs=9, every_step=True)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(EMPTY, encoding="utf-8")
    return path


def ngram_of_table(table, symbols, vocabulary):
    """Probability of each symbol, read off a table in the plainest way: the definition, symbol by symbol."""
    counts = [Counter() for _ in range(table.order + 1)]  # by the length of the context
    for gram, count in zip(table.grams.tolist(), table.counts.tolist(), strict=True):
        row = tuple(gram // vocabulary**j % vocabulary for j in range(table.order, -1, -1))
        for k in range(table.order + 1):
            counts[k][row[: k + 1]] += count
    last = tuple(table.last.tolist())
    for k in range(table.order):  # the shorter rows that begin too late for a whole one
        for start in range(table.order - k):
            counts[k][last[start : start + k + 1]] += 1
    followers = [defaultdict(Counter) for _ in counts]
    for k, counted in enumerate(counts):
        for row, count in counted.items():
            followers[k][row[:-1]][row[-1]] += count
    chances = []
    for t, symbol in enumerate(symbols):
        chance = 1 / vocabulary
        for k in range(min(t, table.order) + 1):
            after = followers[k].get(tuple(symbols[t - k : t]))
            if after:
                chance = (after[symbol] + len(after) * chance) / (sum(after.values()) + len(after))
        chances.append(chance)
    return np.array(chances)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=60), st.lists(st.integers(0, 3), min_size=1, max_size=20))
@settings(max_examples=50)
def test_a_whole_table_is_the_ngram_of_the_lessons(train, test):
    table = text_page.count_table(train, 3, 4)
    expected = ngram_probabilities(train, test, 3, 4)[3]
    series = [*train[len(train) - 3 :], *test]
    np.testing.assert_allclose(ngram_of_table(table, series, 4)[3:], expected, rtol=1e-12)


@given(st.lists(st.integers(0, 65), min_size=4, max_size=300), st.integers(1, 3))
@settings(max_examples=50)
def test_a_packed_table_unpacks_to_itself(train, smallest):
    table = text_page.count_table(train, 3, 66, smallest)
    grams, counts = text_page.unpack(text_page.pack(table))
    assert grams.tolist() == table.grams.tolist()
    assert counts.tolist() == table.counts.tolist()
    assert (counts >= smallest).all()


def test_a_table_too_large_loses_what_came_seldom_and_no_more(monkeypatch):
    whole = text_page.count_table(TRAIN, 1, 9)
    monkeypatch.setattr(text_page, "LARGEST_TABLE", len(text_page.pack(whole)) - 1)
    table, smallest = text_page.fitting_table(TRAIN, 1, 9)
    assert smallest == whole.counts.min() + 1
    assert table.counts.tolist() == [count for count in whole.counts.tolist() if count >= smallest]


def test_what_is_written_is_read_back(page):
    model = small_model()
    for recipe in ("</script> one", "two \\1"):
        text_page.write_model(model, VOCABULARY, TRAIN, HUMAN, recipe, page)
        found = text_page.read_model(page)
        assert (found.vocabulary, found.human, found.recipe) == (VOCABULARY, HUMAN, recipe)
        for array, given_array in zip(found.weights.values(), model.get_weights(), strict=True):
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, given_array.astype("float16"))
        expected = text_page.count_table(TRAIN, text_page.ORDER, len(VOCABULARY))
        for value, original in zip(found.table, expected, strict=True):
            np.testing.assert_array_equal(value, original)
    text = page.read_text(encoding="utf-8")
    before, after = EMPTY.split("</script>")
    assert text.startswith(before)
    assert text.endswith(f"</script>{after}")
    assert text.count("</script>") == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loaded_model_computes_with_the_weights_of_the_page(page, dtype):
    model = small_model()
    text_page.write_model(model, VOCABULARY, TRAIN, HUMAN, "", page)
    model.set_weights([array.astype("float16") for array in model.get_weights()])
    expected = Engine(model).read(TRAIN[None, :50])[0]
    logits = Engine(text_page.load_model(page, dtype)).read(TRAIN[None, :50])[0]
    assert logits.dtype == dtype
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def too_far():
    model = small_model()
    model.set_weights([np.full_like(array, 7e4) for array in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: small_model("GRU"), "layers Embedding, GRU, Dense; the page follows Embedding, one LSTM, Dense"),
        (lambda: small_model(layers=2), "layers Embedding, LSTM, LSTM, Dense"),
        (lambda: build_recurrent("LSTM", 8, features=2), "The engine does not know"),
        (lambda: small_model(units=6), "6 units; the page reads its weights by fours"),
        (lambda: small_model(vocabulary=10), "has 9 characters; the model reads 10 and has 9 outputs"),
        (lambda: small_model(units=240), "The model has 2[0-9]{2},[0-9]{3} weights.*at most 300,000"),
        (too_far, "embedding holds a weight that float16 cannot: the largest is 65,504"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_and_the_page_stays(page, model, message):
    with pytest.raises(ValueError, match=message):
        text_page.write_model(model(), VOCABULARY, TRAIN, HUMAN, "", page)
    assert page.read_text(encoding="utf-8") == EMPTY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"human": {"n": 8, "length": 400, "low": 0.1}}, "human lacks high"),
        ({"human": {**HUMAN, "low": 0.2}}, "expected 0 <= low <= high <= 1"),
        ({"vocabulary": Vocabulary("\nxabcde<”")}, "The vocabulary has no space"),
        ({"train": [0, 1]}, "train has 2 symbols; expected at least 4"),
        ({"train": [0, 1, 2, 9]}, "train holds 0 to 9; expected 0 to 8"),
    ],
)
def test_other_things_that_do_not_fit_are_refused_in_words(page, change, message):
    given_values = {"vocabulary": VOCABULARY, "train": TRAIN, "human": HUMAN, "recipe": "", "page": page}
    with pytest.raises(ValueError, match=message):
        text_page.write_model(small_model(), **{**given_values, **change})
    assert page.read_text(encoding="utf-8") == EMPTY


def test_a_page_without_a_place_for_a_model_is_refused(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<p>Nothing</p>", encoding="utf-8")
    with pytest.raises(ValueError, match="has 0 elements"):
        text_page.write_model(small_model(), VOCABULARY, TRAIN, HUMAN, "", path)
    for text in ("<p>Nothing</p>", EMPTY):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="carries no model"):
            text_page.read_model(path)


def test_a_full_disk_leaves_the_old_model(page, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    text_page.write_model(small_model(), VOCABULARY, TRAIN, HUMAN, "old", page)
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        text_page.write_model(small_model(), VOCABULARY, TRAIN, HUMAN, "new", page)
    assert text_page.read_model(page).recipe == "old"
    assert [file.name for file in page.parent.iterdir()] == [page.name]


def test_the_page_is_small_enough_and_its_model_is_one():
    assert text_page.TEXT.stat().st_size <= 600_000
    found = text_page.read_model()
    assert len(found.weights["recurrent"]) == 128
    assert len(found.table.grams) > 10_000
    model = text_page.load_model()
    assert isinstance(model.layers[1], keras.layers.LSTM)
    assert Engine(model).vocabulary == Engine(model).outputs == len(found.vocabulary)


def test_the_service_answers_with_the_network_of_the_page(tmp_path):
    stored, carried = load_engine(MODEL), text_page.read_model()
    assert (stored.vocabulary, stored.about["recipe"]) == (carried.vocabulary, carried.recipe)
    text = np.random.default_rng(0).integers(len(carried.vocabulary), size=(2, 50))
    np.testing.assert_allclose(stored.engine.read(text)[0], text_page.load_model()(text).numpy(), atol=1e-4)
    assert MODEL.stat().st_size <= 300_000
    text_page.store_engine(path=tmp_path / "again.npz")
    assert fingerprint(load_engine(tmp_path / "again.npz").engine) == fingerprint(stored.engine), "Run make text-page."


def test_the_weights_come_from_the_code_as_it_is():
    assert text_page.read_model().recipe == text_page.current_recipe(), "Stale weights: run make text-page."


def test_the_network_writes_as_lesson_13_says_of_it():
    """It needs as many bits as the n-gram, and at T = 0.7 repeats itself and invents words as rarely as people do."""
    carried = text_page.read_model()
    symbols = carried.vocabulary.encode(build_vocabulary(load_bible("kjv"), 64)[1])
    train, test = symbols[: round(0.85 * len(symbols))], symbols[round(0.9 * len(symbols)) :]
    chances = ngram_probabilities(train, test[:65_537], 5, 64)[5]
    model = text_page.load_model()
    assert text_bits(model, *text_stretches(test[:65_537], 1024)) < bits_per_character(chances) + 0.1

    known = set(words(carried.vocabulary.decode(train)))

    def measures(letters):
        texts = [carried.vocabulary.decode(row) for row in letters]
        return np.mean([[repetition(words(text)[:150], 4), invented(text, known)] for text in texts], axis=0)

    rng = np.random.default_rng(0)
    prompts = test[rng.integers(len(test) - 100, size=64)[:, None] + np.arange(100)]  # (64, 100)
    made = generate(Engine(model), prompts, 1000, [partial(temperature, t=0.7)], rng=rng)
    assert (measures(made) <= 1.2 * measures(text_stretches(test, 1000)[0])).all()
