"""``python -m tools.attention_page``: train the two networks of ``site/play/attention.html``, write them into the page.

Both turn a written date into the ISO date, as in lesson 12 but trained for longer. The page carries them in an element
of its own. Here that element is written and read::

    model = load_model("transformer")  # in Keras, with the weights as the page has them
"""

import base64
import datetime
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from tools.play import PLAY, fingerprint, put_block, read_block
from utils.datasets.corpora import Vocabulary
from utils.datasets.translation import WrittenDate, date_ceiling, written_dates

ATTENTION = PLAY / "attention.html"
NETWORKS = ("recurrent", "transformer")
SIZES = {
    "recurrent": {"units": 48, "embedding": 24},
    "transformer": {"width": 40, "heads": 4, "layers": 2, "feedforward": 64},
}
RATES = {"recurrent": 0.005, "transformer": 0.003}  # the highest, after 200 updates; then a cosine down
EPOCHS = 4
DRAWN = 40_000  # dates, of which nine in ten are trained on
LOCALES = ("en", "de", "fr", "es")
UNSEEN = ("it", "nl")  # offered as well, but not trained on
ISO = "-0123456789"  # what is written; 0 is the end, so they count from 1
BEGIN = len(ISO) + 1
STEPS = 11  # ten characters and the end
LONGEST = 64  # of a text, in characters
LARGEST = 270_000  # characters of base64, of both networks together
HELD_OUT = 2000  # dates on which accuracy is measured
BLANKED = 200  # of them, in which each character is blanked out
OTHER = "e"  # stands in for a space that is blanked out


class Networks(NamedTuple):
    """What ``attention.html`` carries.

    Attributes:
        vocabulary: of what is read; its symbols count from 1, 0 being padding.
        sizes: by network, the arguments of its builder.
        weights: by network, float32 arrays by name (see :func:`parts`).
        right: by network, the share of held-out dates that it writes right; "ceiling", what nobody can beat on average.
        blanks: by network, what :func:`blanks` gives.
        examples: dates of days that were held out.
        recipe: tells which code the weights come from.
    """

    vocabulary: Vocabulary
    sizes: dict[str, dict]
    weights: dict[str, dict[str, np.ndarray]]
    right: dict[str, float]
    blanks: dict[str, dict[str, float]]
    examples: list[WrittenDate]
    recipe: str


def write_networks(
    models: dict,
    vocabulary: Vocabulary,
    sizes: dict,
    right: dict,
    blanks: dict,
    examples: list,
    recipe: str,
    page: Path = ATTENTION,
) -> None:
    """Put two trained networks and dates to try them on into a page; all of it or nothing.

    Args:
        models: by the names of ``NETWORKS``: Keras models of :func:`build`; kept as float16.
        vocabulary: the characters that they read, a space and ``OTHER`` among them.
        sizes: by network, the arguments it was built with.
        right, blanks, examples, recipe: see :class:`Networks`.
        page: the page to write into.

    Raises:
        ValueError: networks that do not fit the page or the vocabulary, a weight that float16 cannot hold, an example
            that cannot be read, a share that is none, or a page without the element for the networks.
    """
    for what in (models, sizes, blanks):
        if set(what) != set(NETWORKS):
            raise ValueError(f"Networks are {', '.join(sorted(what))}; expected {' and '.join(NETWORKS)}.")
    if not {" ", OTHER} <= set(vocabulary.characters):
        raise ValueError(f"The vocabulary needs a space and {OTHER!r}, which stands in for one; it has not both.")
    shares = [right[name] for name in (*NETWORKS, "ceiling")] + [x for name in NETWORKS for x in blanks[name].values()]
    if not 0 <= min(shares) <= max(shares) <= 1:
        raise ValueError(f"Shares are {', '.join(map(str, shares))}; expected 0 to 1.")
    for example in examples:
        if not set(example.text) <= set(vocabulary.characters) or len(example.text) > LONGEST:
            raise ValueError(f"The example {example.text!r} has characters outside the vocabulary or over {LONGEST}.")
    networks = {}
    for name, model in models.items():
        arrays = {part: np.asarray(variable) for part, variable in parts(model).items()}
        if len(arrays["read"]) != len(vocabulary) + 1:
            raise ValueError(
                f"The {name} network reads {len(arrays['read'])} symbols; expected "
                f"{len(vocabulary) + 1}: one a character, and padding."
            )
        with np.errstate(over="ignore"):
            halves = {part: array.astype("<f2") for part, array in arrays.items()}
        for part, array in halves.items():
            if not np.isfinite(array).all():
                raise ValueError(
                    f"{part} of the {name} network holds a weight beyond float16's {np.finfo('<f2').max:,.0f}."
                )
        networks[name] = {
            "sizes": sizes[name],
            "shapes": {part: list(array.shape) for part, array in halves.items()},
            "weights": base64.b64encode(b"".join(array.tobytes() for array in halves.values())).decode(),
        }
    if (size := sum(len(network["weights"]) for network in networks.values())) > LARGEST:
        raise ValueError(f"The networks take {size:,} characters of base64; the page takes at most {LARGEST:,}.")
    block = {
        "recipe": recipe,
        "characters": vocabulary.characters,
        "writes": ISO,
        "steps": STEPS,
        "longest": LONGEST,
        "other": OTHER,
        "right": right,
        "blanks": blanks,
        "blanked": BLANKED,
        "examples": [list(example) for example in examples],
        **networks,
    }
    put_block(page, "networks", block)


def read_networks(page: Path = ATTENTION) -> Networks:
    """What a page carries.

    Raises:
        ValueError: no networks in the page.
    """
    block = read_block(page, "networks")
    weights = {}
    for name in NETWORKS:
        numbers = np.frombuffer(base64.b64decode(block[name]["weights"]), "<f2").astype("float32")
        shapes = block[name]["shapes"]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])[:-1]
        pieces = np.split(numbers, ends)
        weights[name] = {part: piece.reshape(shapes[part]) for part, piece in zip(shapes, pieces, strict=True)}
    return Networks(
        Vocabulary(block["characters"]),
        {name: block[name]["sizes"] for name in NETWORKS},
        weights,
        block["right"],
        block["blanks"],
        [WrittenDate(*example) for example in block["examples"]],
        block["recipe"],
    )


def load_model(name: str, page: Path = ATTENTION):
    """A network of the page in Keras.

    Raises:
        ValueError: no networks in the page.
    """
    carried = read_networks(page)
    model = build(name, len(carried.vocabulary), carried.sizes[name])
    for part, variable in parts(model).items():
        variable.assign(carried.weights[name][part])
    return model


def build(name: str, characters: int, sizes: dict):
    """An untrained network of the page: "recurrent", a GRU with Bahdanau's attention, or "transformer".

    Args:
        characters: how many it can read.
        sizes: ``units`` and ``embedding``; or ``width``, ``heads``, ``layers`` and ``feedforward``.
    """
    from utils.models.seq2seq import build_seq2seq, build_transformer

    if name == "recurrent":
        return build_seq2seq(characters + 1, BEGIN + 1, attention="bahdanau", **sizes)
    return build_transformer(characters + 1, BEGIN + 1, longest=LONGEST, **sizes)


def parts(model) -> dict:
    """The variables of a network of :func:`build`, by the names that the page calls them; in the order of building.

    Keras numbers the layers of a class in the order in which they were made, which is that of the code in
    ``utils/models/seq2seq.py``.
    """

    def number(layer):
        found = re.search(r"_(\d+)$", layer.name)
        return (layer.name == "attention", int(found[1]) if found else 0)  # the one with a name of its own is the last

    def made(kind):
        return sorted((layer for layer in model.layers if type(layer).__name__ == kind), key=number)

    named = {}
    read, said = made("Embedding")
    named["read"], named["said"] = read, said
    dense, grus = made("Dense"), made("GRU")
    if grus:
        named["encoder"], named["decoder"] = grus
        named["attention"] = model.get_layer("attention")
        named["join"], named["head"] = dense
    else:
        looks, normals = made("MultiHeadAttention"), made("LayerNormalization")
        layers = len(looks) // 3
        for i in range(layers):
            named[f"encoder{i}/self"] = looks.pop(0)
        for i in range(layers):
            named[f"decoder{i}/self"], named[f"decoder{i}/cross"] = looks.pop(0), looks.pop(0)
        blocks = [f"encoder{i}" for i in range(layers)] + [f"decoder{i}" for i in range(layers)]
        for block in blocks:
            out, hidden = dense.pop(0), dense.pop(0)  # made from the outside in
            named[f"{block}/hidden"], named[f"{block}/out"] = hidden, out
            steps = ("self", "forward") if block.startswith("encoder") else ("self", "cross", "forward")
            for step in steps:
                named[f"{block}/before_{step}"] = normals.pop(0)
            if block == f"encoder{layers - 1}":
                named["memory"] = normals.pop(0)
        named["last"], named["head"] = normals.pop(0), dense.pop(0)
    found = {}
    for place, layer in named.items():
        for variable in layer.weights:  # such as gru_3/gru_cell/bias
            inside = variable.path.split(f"{layer.name}/", 1)[1].removeprefix("gru_cell/")
            found[f"{place}/{inside}".replace("/embeddings", "")] = variable
    if len(found) != len(model.weights):
        raise ValueError(f"{len(found)} of {len(model.weights)} arrays of the network were found.")
    return found


def current_recipe() -> str:
    """A fingerprint of the code and the settings that the page's networks come from."""
    from utils.datasets import translation
    from utils.models import attention, seq2seq

    code = (
        attention.BahdanauAttention,
        attention.MultiHeadAttention,
        attention.look,
        attention.position_codes,
        seq2seq.build_seq2seq,
        seq2seq.build_transformer,
        seq2seq.PositionCodes,
        seq2seq.teacher_forcing,
        seq2seq._inputs,
        seq2seq._feed_forward,
        translation.written_dates,
        translation._written,
        build,
        draw,
        is_held_out,
        encode,
        blanks,
        _train,
        _examples,
    )
    settings = (SIZES, RATES, EPOCHS, DRAWN, LOCALES, UNSEEN, ISO, STEPS, LONGEST, HELD_OUT, BLANKED, OTHER)
    return fingerprint(code, settings)


def draw(count: int, seed: int, held_out: bool, locales=LOCALES) -> list[WrittenDate]:
    """Dates of the days that are held out, about one in ten of the ``count`` drawn, or of the others."""
    drawn = written_dates(count, np.random.default_rng(seed), locales)
    return [date for date in drawn if is_held_out(date) == held_out]


def is_held_out(date: WrittenDate) -> bool:
    """Every tenth day is never trained on, however it is written."""
    return datetime.date.fromisoformat(date.iso).toordinal() % 10 == 3


def encode(dates: list[WrittenDate], vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """What is read, (dates, longest of them) with 0 behind each, and what is to be written, (dates, ``STEPS``)."""
    longest = max(len(date.text) for date in dates)
    read = [np.pad(vocabulary.encode(date.text) + 1, (0, longest - len(date.text))) for date in dates]
    return np.array(read), np.array([[ISO.index(character) + 1 for character in date.iso] + [0] for date in dates])


def share_right(model, dates: list[WrittenDate], vocabulary: Vocabulary) -> float:
    """The share of dates that a network writes right, from the first character to the end."""
    from utils.models.seq2seq import translate

    read, right = encode(dates, vocabulary)
    return float(np.mean((translate(model, read, BEGIN, STEPS) == right).all(axis=1)))


def blanks(model, dates: list[WrittenDate], vocabulary: Vocabulary, other: str) -> dict[str, float]:
    """How often a blank in the text changes a digit that a network writes, what it wrote before being left as it was.

    Args:
        other: the character that stands in for a space; a space stands in for all others.

    Returns:
        Shares of all digits: "most", changed by blanking out the character that it looked at most; "any", changed by
        one of all places, on average; "same", for which the place that moves the prediction most, by the
        Kullback-Leibler divergence of the old from the new one, is the place that it looked at most.
    """
    from utils.models.seq2seq import alignment, teacher_forcing, translate
    from utils.training.fit import predict

    space, instead = vocabulary.encode(" " + other) + 1
    read, _ = encode(dates, vocabulary)
    said = translate(model, read, BEGIN, STEPS)
    forced = teacher_forcing(said, BEGIN)
    weights = alignment(model, read, forced).reshape(len(dates), -1, STEPS, read.shape[1]).mean(axis=1)
    lengths = [len(date.text) for date in dates]
    which = np.repeat(np.arange(len(dates)), lengths)  # of each blank, the date
    places = np.concatenate([np.arange(length) for length in lengths])
    texts = read[which]  # (blanks, longest)
    blanked = texts[np.arange(len(which)), places]
    texts[np.arange(len(which)), places] = np.where(blanked == space, instead, space)
    before = log_softmax(predict(model, (read, forced)).astype(float), axis=-1)[which]  # (blanks, time, symbols)
    after = log_softmax(predict(model, (texts, forced[which])).astype(float), axis=-1)
    moved = (np.exp(before) * (before - after)).sum(axis=-1)  # (blanks, time)
    changed = after.argmax(axis=-1) != said[which]
    found = []
    for i in range(len(dates)):
        mine = which == i
        for t in np.flatnonzero(said[i] > 1):  # neither a hyphen nor the end
            looked = weights[i, t].argmax()
            found.append([changed[mine, t][looked], changed[mine, t].mean(), moved[mine, t].argmax() == looked])
    return dict(zip(("most", "any", "same"), np.mean(found, axis=0).tolist(), strict=True))


def _train(name: str, dates: list[WrittenDate], vocabulary: Vocabulary):
    from utils import runtime
    from utils.models.seq2seq import teacher_forcing
    from utils.training.fit import fit

    keras = runtime.keras
    runtime.set_seed(0)
    read, right = encode(dates, vocabulary)
    model = build(name, len(vocabulary), SIZES[name])
    updates = EPOCHS * (len(right) // 64)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, updates - 200, alpha=0.01, warmup_target=RATES[name], warmup_steps=200
    )
    fit(
        model,
        ((read, teacher_forcing(right, BEGIN)), right),
        epochs=EPOCHS,
        batch_size=64,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
    )
    return model


def _examples(vocabulary: Vocabulary) -> list[WrittenDate]:
    """Held-out days in every locale and format; short ones that can be read in two ways; two in each new language."""
    examples = []
    for seed, locale in enumerate((*LOCALES, *UNSEEN)):
        drawn = [date for date in draw(2000, seed, True, [locale]) if set(date.text) <= set(vocabulary.characters)]
        for form in ("full", "long", "medium", "short") if locale in LOCALES else ("full", "long"):
            fitting = [date for date in drawn if date.format == form]
            examples.append(next(date for date in fitting if form != "short" or _is_ambiguous(date)))
    return examples


def _is_ambiguous(date: WrittenDate) -> bool:
    month, day = date.iso[5:7], date.iso[8:]
    return month != day and int(day) <= 12


if __name__ == "__main__":
    trained_on = draw(DRAWN, 0, held_out=False)
    characters = Vocabulary("".join(sorted({character for date in trained_on for character in date.text})))
    networks = {name: _train(name, trained_on, characters) for name in NETWORKS}
    tested = draw(30 * HELD_OUT, 1, held_out=True)[:HELD_OUT]
    scores = {name: share_right(model, tested, characters) for name, model in networks.items()}
    scores["ceiling"] = date_ceiling(LOCALES)
    changes = {name: blanks(model, tested[:BLANKED], characters, OTHER) for name, model in networks.items()}
    print(scores, changes)
    write_networks(networks, characters, SIZES, scores, changes, _examples(characters), current_recipe())
    print(f"{ATTENTION.name} written")
