"""``python -m tools.text_page``: train the network of ``site/play/text.html`` and write it into the page.

The page carries a character model, trained as in lesson 13 but for longer, and a table of counted contexts, in an
element of its own. Here that element is written and read::

    engine = Engine(load_model())  # the weights as the page has them

The service of ``utils/serving`` answers with the same network, from a file of its own.
"""

import base64
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tools.play import PLAY, fingerprint, put_block, read_block
from utils.datasets.corpora import Vocabulary
from utils.generation.engine import Engine, Weights
from utils.generation.stored import save_engine
from utils.serving import MODEL

TEXT = PLAY / "text.html"
ORDER = 3  # the longest context of the n-gram, in characters
LARGEST_MODEL, LARGEST_TABLE = 300_000, 150_000  # characters of base64
WEIGHTS = ("embedding", "kernel", "recurrent", "bias", "head", "head_bias")  # in this order, one after the other


class Table(NamedTuple):
    """Counts of ``order + 1`` symbols in a row, from which those of shorter rows follow.

    Attributes:
        order: the longest context.
        grams: numbers of the rows, sorted: of the symbols a b c in a vocabulary of V it is (a V + b) V + c.
        counts: how often each was counted; what was counted too seldom is left out.
        last: the last ``order`` symbols, which begin no row of full length.
    """

    order: int
    grams: np.ndarray
    counts: np.ndarray
    last: np.ndarray


class PageModel(NamedTuple):
    """What ``text.html`` carries: float32 ``weights`` by the names of :data:`WEIGHTS`, and the rest as it was given."""

    vocabulary: Vocabulary
    weights: dict[str, np.ndarray]
    table: Table
    human: dict
    recipe: str


def write_model(model, vocabulary: Vocabulary, train, human: dict, recipe: str, page: Path = TEXT) -> None:
    """Put a trained model, and the n-gram it is held against, into a page; all of it or nothing.

    Args:
        model: Keras Sequential of an Embedding, one LSTM and a Dense head over the vocabulary; kept as float16.
        vocabulary: its characters, a space among them.
        train: numbers of the text it was trained on, shape (time,); the n-gram counts them.
        human: share of repeated n-grams in human text: ``n``, the ``length`` of a text, and the band ``low``, ``high``.
        recipe: tells which code the weights come from.
        page: the page to write into.

    Raises:
        ValueError: other layers, a model or a vocabulary that does not fit the page, symbols outside the vocabulary, a
            band that is none, or a page without the element for the model.
    """
    weights = _weights(model, vocabulary)
    packed = base64.b64encode(b"".join(array.tobytes() for array in weights.values())).decode()
    if len(packed) > LARGEST_MODEL:
        count = sum(array.size for array in weights.values())
        raise ValueError(
            f"The model has {count:,} weights, {len(packed):,} characters of base64; the page takes at most "
            f"{LARGEST_MODEL:,}. Fewer units or a smaller embedding make it smaller."
        )
    _check_band(human)
    table, smallest = fitting_table(train, ORDER, len(vocabulary))
    block = {
        "recipe": recipe,
        "vocabulary": vocabulary.characters,
        "embedding": weights["embedding"].shape[1],
        "units": weights["recurrent"].shape[0],
        "human": {name: human[name] for name in ("n", "length", "low", "high")},
        "order": table.order,
        "smallest": smallest,
        "last": table.last.tolist(),
        "weights": packed,
        "table": pack(table),
    }
    put_block(page, "model", block)


def read_model(page: Path = TEXT) -> PageModel:
    """What a page carries.

    Raises:
        ValueError: no model in the page.
    """
    block = read_block(page, "model")
    vocabulary = Vocabulary(block["vocabulary"])
    symbols, units, embedding = len(vocabulary), block["units"], block["embedding"]
    shapes = [(symbols, embedding), (embedding, 4 * units), (units, 4 * units), 4 * units, (units, symbols), symbols]
    numbers = np.frombuffer(base64.b64decode(block["weights"]), "<f2").astype("float32")
    parts = np.split(numbers, np.cumsum([np.prod(shape) for shape in shapes])[:-1])
    weights = {name: part.reshape(shape) for name, part, shape in zip(WEIGHTS, parts, shapes, strict=True)}
    grams, counts = unpack(block["table"])
    table = Table(block["order"], grams, counts, np.array(block["last"]))
    return PageModel(vocabulary, weights, table, block["human"], block["recipe"])


def load_model(page: Path = TEXT, dtype: str = "float32"):
    """The page's model in Keras, for an Engine; in float64 it computes as finely as the page does.

    Raises:
        ValueError: no model in the page.
    """
    from utils.runtime import keras

    weights = read_model(page).weights
    (symbols, embedding), units = weights["embedding"].shape, len(weights["recurrent"])
    model = keras.Sequential(
        [
            keras.Input((None,)),
            keras.layers.Embedding(symbols, embedding, dtype=dtype),
            keras.layers.LSTM(units, return_sequences=True, dtype=dtype),
            keras.layers.Dense(symbols, dtype=dtype),
        ]
    )
    model.set_weights([weights[name] for name in WEIGHTS])
    return model


def store_engine(page: Path = TEXT, path: Path = MODEL) -> None:
    """Write the page's network to the file that the service answers with.

    Raises:
        ValueError: no model in the page.
    """
    carried = read_model(page)
    embedding, kernel, recurrent, bias, head, head_bias = (carried.weights[name] for name in WEIGHTS)
    engine = Engine(Weights(embedding, (("LSTM", (kernel, recurrent, bias)),), (head, head_bias)))
    about = {"read": "the King James Bible", "recipe": carried.recipe}
    save_engine(path, engine, carried.vocabulary, about=about)


def count_table(train, order: int, symbols: int, smallest: int = 1) -> Table:
    """Count rows of ``order + 1`` symbols and leave out those that came less than ``smallest`` times.

    Raises:
        ValueError: symbols outside the vocabulary, or fewer than ``order + 1`` of them.
    """
    train = np.asarray(train, dtype=np.int64)
    if len(train) <= order:
        raise ValueError(f"train has {len(train)} symbols; expected at least {order + 1}.")
    if train.min() < 0 or train.max() >= symbols:
        raise ValueError(f"train holds {train.min()} to {train.max()}; expected 0 to {symbols - 1}.")
    rows = sum(train[order - j : len(train) - j] * symbols**j for j in range(order + 1))
    grams, counts = np.unique(rows, return_counts=True)
    kept = counts >= smallest
    return Table(order, grams[kept], counts[kept], train[len(train) - order :])


def fitting_table(train, order: int, symbols: int) -> tuple[Table, int]:
    """The fullest table that fits the page, and how often a row must have come to be in it."""
    smallest = 1
    while len(pack(table := count_table(train, order, symbols, smallest))) > LARGEST_TABLE:
        smallest += 1
    return table, smallest


def pack(table: Table) -> str:
    """Base64 of whole numbers, seven bits a byte, the low ones first: the step from row to row, then its count."""
    numbers = np.stack([np.diff(table.grams, prepend=0), table.counts], axis=1).ravel()
    out = bytearray()
    for number in numbers.tolist():
        while number >= 128:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)
    return base64.b64encode(bytes(out)).decode()


def unpack(packed: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows and the counts of :func:`pack`."""
    numbers, number, shift = [], 0, 0
    for byte in base64.b64decode(packed):
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(number)
            number = shift = 0
    steps, counts = np.array(numbers, dtype=np.int64).reshape(-1, 2).T
    return np.cumsum(steps), counts


def _weights(model, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """As float16, little endian, by the names of :data:`WEIGHTS`."""
    from utils.runtime import keras

    engine = Engine(model)  # refuses what it cannot follow
    passed_over = (keras.layers.InputLayer, keras.layers.Dropout)
    layers = [layer for layer in model.layers if not isinstance(layer, passed_over)]
    if len(layers) != 3 or not isinstance(layers[1], keras.layers.LSTM):
        kinds = ", ".join(type(layer).__name__ for layer in layers)
        raise ValueError(f"The model has the layers {kinds}; the page follows Embedding, one LSTM, Dense.")
    if layers[1].units % 4:
        raise ValueError(f"The LSTM has {layers[1].units} units; the page reads its weights by fours.")
    if not len(vocabulary) == engine.vocabulary == engine.outputs:
        raise ValueError(
            f"The vocabulary has {len(vocabulary)} characters; the model reads {engine.vocabulary} and has "
            f"{engine.outputs} outputs. Expected as many of all three."
        )
    if " " not in vocabulary.characters:
        raise ValueError("The vocabulary has no space; the page reads a character it does not know as one.")
    arrays = [array for layer in layers for array in layer.get_weights()]
    with np.errstate(over="ignore"):
        weights = {name: array.astype("<f2") for name, array in zip(WEIGHTS, arrays, strict=True)}
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a weight that float16 cannot: the largest is {np.finfo('<f2').max:,.0f}.")
    return weights


def _check_band(human: dict) -> None:
    if missing := {"n", "length", "low", "high"} - set(human):
        raise ValueError(f"human lacks {', '.join(sorted(missing))}; expected n, length, low and high.")
    if not (0 <= human["low"] <= human["high"] <= 1 and 1 <= human["n"] <= human["length"]):
        raise ValueError(f"human is {human}; expected 0 <= low <= high <= 1 and 1 <= n <= length.")


def current_recipe() -> str:
    """A fingerprint of the code that the page's weights come from; docstrings and comments do not count."""
    from utils.datasets import corpora, windows
    from utils.models import language_model, recurrent
    from utils.training import language

    return fingerprint(
        (
            language_model,
            recurrent.build_recurrent,
            language,
            windows.text_blocks,
            corpora.load_verses,
            corpora.build_vocabulary,
            _train,
        )
    )


def _train():
    """The lesson's text and recipe, 128 units, 15 times its updates; and repeated 8-grams in the book's last tenth."""
    from utils import runtime
    from utils.datasets.corpora import build_vocabulary, load_bible
    from utils.evaluation.text import repetition
    from utils.models.language_model import build_language_model
    from utils.training.language import fit_language_model

    runtime.set_seed(0)
    vocabulary, text = build_vocabulary(load_bible("kjv"), 64)
    symbols = vocabulary.encode(text)
    train, validation, test = np.split(symbols, [round(0.85 * len(symbols)), round(0.9 * len(symbols))])
    model = build_language_model(len(vocabulary))
    history = fit_language_model(model, train, updates=6000, validation=validation[:65_536], every=500)
    print(f"{min(history['val_loss']) / np.log(2):.2f} bits per character on the validation part")
    repeats = [repetition(part.tolist(), 8) for part in test[: len(test) // 400 * 400].reshape(-1, 400)]
    low, high = np.quantile(repeats, [0.1, 0.9]).round(3)
    return model, vocabulary, train, {"n": 8, "length": 400, "low": float(low), "high": float(high)}


if __name__ == "__main__":
    write_model(*_train(), recipe=current_recipe())
    store_engine()
    print(f"{TEXT.name} and {MODEL.name} written")
