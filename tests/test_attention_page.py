"""What ``site/play/attention.html`` carries: written whole or not at all, read back as it was, as good as it says."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from tools import attention_page
from utils.datasets.corpora import Vocabulary
from utils.datasets.translation import WrittenDate
from utils.models.seq2seq import alignment, translate

VOCABULARY = Vocabulary(" aec<7")
SIZES = {
    "recurrent": {"units": 6, "embedding": 3},
    "transformer": {"width": 8, "heads": 2, "layers": 2, "feedforward": 5},
}
RIGHT = {"recurrent": 0.5, "transformer": 0.25, "ceiling": 0.75}
BLANKS = {name: {"most": 0.3, "any": 0.1, "same": 0.5} for name in ("recurrent", "transformer")}
EXAMPLES = [WrittenDate("a <7", "2024-07-03", "en", "short")]
EMPTY = '<html>\n<script id="networks" type="application/json"></script>\n<p>\\1</p></html>\n'


def small_models(sizes=SIZES, characters=6):
    return {name: attention_page.build(name, characters, sizes[name]) for name in attention_page.NETWORKS}


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(EMPTY, encoding="utf-8")
    return path


def write(page, models=None, **change):
    given = {
        "models": models or small_models(),
        "vocabulary": VOCABULARY,
        "sizes": SIZES,
        "right": RIGHT,
        "blanks": BLANKS,
        "examples": EXAMPLES,
        "recipe": "",
    }
    attention_page.write_networks(**{**given, **change}, page=page)


def test_what_is_written_is_read_back(page):
    models = small_models()
    for recipe in ("</script> one", "two \\1"):
        write(page, models, recipe=recipe)
        found = attention_page.read_networks(page)
        assert found.recipe == recipe
        assert (found.vocabulary, found.sizes, found.examples) == (VOCABULARY, SIZES, EXAMPLES)
        assert (found.right, found.blanks) == (RIGHT, BLANKS)
        for name, model in models.items():
            assert sum(array.size for array in found.weights[name].values()) == model.count_params()
            for part, variable in attention_page.parts(model).items():
                expected = np.asarray(variable).astype("float16")
                np.testing.assert_array_equal(found.weights[name][part], expected)
    before, after = EMPTY.split("</script>")
    text = page.read_text(encoding="utf-8")
    assert text.startswith(before)
    assert text.endswith(f"</script>{after}")
    assert text.count("</script>") == 1


@pytest.mark.parametrize("name", attention_page.NETWORKS)
def test_the_loaded_network_computes_as_the_one_that_was_written(page, name):
    models, model = small_models(), small_models()[name]
    write(page, {**models, name: model})
    model.set_weights([array.astype("float16") for array in model.get_weights()])
    rng = np.random.default_rng(0)
    read, said = rng.integers(1, 7, (4, 9)), rng.integers(1, 13, (4, 5))
    loaded = attention_page.load_model(name, page)
    np.testing.assert_allclose(loaded([read, said]), model([read, said]), atol=1e-6)
    np.testing.assert_allclose(alignment(loaded, read, said), alignment(model, read, said), atol=1e-6)
    assert np.abs(models[name]([read, said]) - model([read, said])).max() > 1e-3


def too_far():
    models = small_models()
    models["recurrent"].set_weights([np.full_like(array, 7e4) for array in models["recurrent"].get_weights()])
    return models


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda: {"models": {"recurrent": small_models()["recurrent"]}},
            "Networks are recurrent; expected recurrent and",
        ),
        (lambda: {"models": small_models(characters=7)}, "recurrent network reads 8 symbols; expected 7"),
        (lambda: {"models": too_far()}, "read of the recurrent network holds a weight beyond float16's 65,504"),
        (
            lambda: {"models": small_models({**SIZES, "recurrent": {"units": 200, "embedding": 3}})},
            "take .* at most 270,000",
        ),
        (lambda: {"vocabulary": Vocabulary("xaec<7")}, "The vocabulary needs a space and 'e'"),
        (lambda: {"vocabulary": Vocabulary(" abc<7")}, "The vocabulary needs a space and 'e'"),
        (lambda: {"blanks": {"recurrent": {}}}, "Networks are recurrent; expected"),
        (lambda: {"right": {**RIGHT, "ceiling": 1.5}}, "Shares are 0.5, 0.25, 1.5.*expected 0 to 1"),
        (lambda: {"examples": [WrittenDate("a é", "2024-07-03", "en", "short")]}, "'a é' has characters outside"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_page_stays(page, change, message):
    with pytest.raises(ValueError, match=message):
        write(page, **change())
    assert page.read_text(encoding="utf-8") == EMPTY


def test_a_page_without_a_place_for_networks_is_refused(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<p>Nothing</p>", encoding="utf-8")
    with pytest.raises(ValueError, match="has 0 elements"):
        write(path)
    for text in ("<p>Nothing</p>", EMPTY):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="carries no networks"):
            attention_page.read_networks(path)


def test_no_day_is_both_learned_and_tested():
    learned, tested = (attention_page.draw(3000, 0, held_out) for held_out in (False, True))
    assert len(learned) + len(tested) == 3000
    assert 200 < len(tested) < 400
    assert not {date.iso for date in learned} & {date.iso for date in tested}


def test_the_page_is_small_enough_and_its_examples_are_of_held_out_days():
    assert attention_page.ATTENTION.stat().st_size <= 320_000
    found = attention_page.read_networks()
    assert found.sizes == attention_page.SIZES
    assert all(attention_page.is_held_out(date) for date in found.examples)
    assert {date.locale for date in found.examples} == {*attention_page.LOCALES, *attention_page.UNSEEN}


def test_the_weights_come_from_the_code_and_the_settings_as_they_are(monkeypatch):
    recipe = attention_page.read_networks().recipe
    assert recipe == attention_page.current_recipe(), "Stale weights: run make attention-page."
    monkeypatch.setattr(attention_page, "DRAWN", 100)
    assert attention_page.current_recipe() != recipe


@pytest.mark.parametrize("name", attention_page.NETWORKS)
def test_the_networks_are_as_often_right_as_the_page_says(name):
    """With the weights as the page has them; where a month is named, hardly ever wrong."""
    carried, model = attention_page.read_networks(), attention_page.load_model(name)
    tested = attention_page.draw(30 * attention_page.HELD_OUT, 1, held_out=True)[: attention_page.HELD_OUT]
    assert attention_page.share_right(model, tested, carried.vocabulary) == pytest.approx(
        carried.right[name], abs=0.003
    )
    named = [date for date in tested if date.format in ("long", "full")]
    assert attention_page.share_right(model, named, carried.vocabulary) >= 0.99
    assert carried.right[name] > carried.right["ceiling"] - 0.02


@pytest.mark.parametrize("name", attention_page.NETWORKS)
def test_what_blanks_change_is_what_the_page_says(name):
    """And as counted digit by digit, reading each blanked text again."""
    carried, model = attention_page.read_networks(), attention_page.load_model(name)
    tested = attention_page.draw(30 * attention_page.HELD_OUT, 1, held_out=True)[: attention_page.BLANKED]
    found = attention_page.blanks(model, tested, carried.vocabulary, attention_page.OTHER)
    assert found == pytest.approx(carried.blanks[name], abs=0.01)

    date = tested[0]
    symbols = (carried.vocabulary.encode(date.text) + 1).tolist()
    space, other = (carried.vocabulary.encode(" e") + 1).tolist()
    said = translate(model, [symbols], attention_page.BEGIN, attention_page.STEPS)[0].tolist()
    most, anywhere, same, digits = 0, 0, 0, [t for t in range(10) if date.iso[t] != "-"]
    for t in digits:
        forced = np.array([[attention_page.BEGIN, *said[:t]]])
        weights = alignment(model, [symbols], forced)[0][..., t, :].reshape(-1, len(symbols)).mean(0)
        before = softmax(model([np.array([symbols]), forced])[0, t])
        changes, moved = [], []
        for place, symbol in enumerate(symbols):
            text = [*symbols[:place], other if symbol == space else space, *symbols[place + 1 :]]
            logits = model([np.array([text]), forced])[0, t].numpy()
            changes.append(logits.argmax() != said[t])
            moved.append(entropy(before, softmax(logits)))
        most += changes[weights.argmax()]
        anywhere += np.mean(changes)
        same += np.argmax(moved) == weights.argmax()
    expected = {"most": most / len(digits), "any": anywhere / len(digits), "same": same / len(digits)}
    assert attention_page.blanks(model, [date], carried.vocabulary, "e") == pytest.approx(expected)
