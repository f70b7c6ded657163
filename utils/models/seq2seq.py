"""From one sequence to another: encoder and decoder, with and without attention, and a small Transformer.

Taught in lesson 12. Every model takes ``(source, said)``, whole numbers of shapes (batch, places) and (batch, time), 0
being padding behind a sequence, and gives logits of what comes next, (batch, time, target vocabulary). In training
``said`` is the right answer, one step late (*teacher forcing*); in :func:`translate` it is what the model has said.
"""

import functools
from typing import NamedTuple

import numpy as np

from utils.models.attention import BahdanauAttention, LuongAttention, MultiHeadAttention, position_codes
from utils.models.minimal import MinimalRNN
from utils.runtime import keras, tf
from utils.training.compiled import borrow

CELLS = ("RNN", "LSTM", "GRU", "minGRU")
ATTENTIONS = ("bahdanau", "dot", "general", "concat")


def build_seq2seq(
    source: int,
    target: int,
    units: int = 64,
    *,
    cell: str = "GRU",
    attention: str | None = None,
    embedding: int = 32,
    lengths: tuple[int | None, int | None] = (None, None),
) -> "keras.Model":
    """An encoder that reads the source and a decoder that writes, beginning with the encoder's last state.

    Without attention that state is all the decoder ever knows of the source (Sutskever, Vinyals and Le 2014; Cho et al.
    2014). With attention each of its states also looks back at all states of the encoder, and what it read is joined to
    it by a dense layer (Luong et al. 2015, equation 5).

    Args:
        source, target: sizes of the vocabularies, padding included.
        units: width of both recurrent layers.
        cell: one of ``CELLS``. A minGRU takes no state from the encoder, so it needs attention.
        attention: one of ``ATTENTIONS``, or none.
        embedding: size of the vector of a symbol.
        lengths: places of the source and steps of the answer; a minGRU has to know them to be trained.

    Raises:
        ValueError: an unknown cell or attention, a size below 1, a minGRU without attention.
    """
    if cell not in CELLS or (attention is not None and attention not in ATTENTIONS):
        raise ValueError(
            f"cell is {cell!r} and attention {attention!r}; expected one of {', '.join(CELLS)}, and none or one of "
            f"{', '.join(ATTENTIONS)}."
        )
    if min(source, target, units, embedding) < 1:
        raise ValueError(f"Sizes are {source}, {target}, {units} and {embedding}; expected at least 1 each.")
    if cell == "minGRU" and attention is None:
        raise ValueError("A minGRU's decoder takes no state from the encoder; give it an attention.")
    read_in, said = _inputs(*lengths)
    there = keras.ops.not_equal(read_in, 0)  # (batch, places)
    x = keras.layers.Embedding(source, embedding)(read_in)  # (batch, places, embedding)
    y = keras.layers.Embedding(target, embedding)(said)  # (batch, time, embedding)
    layer = functools.partial(_layer(cell), units, return_sequences=True)
    if cell == "minGRU":
        memory, y = layer()(x), layer()(y)  # (batch, places, units), (batch, time, units)
    else:
        memory, *state = layer(return_state=True)(x, mask=there)
        y = layer()(y, initial_state=state)  # (batch, time, units)
    if attention is not None:
        kinds = {"bahdanau": lambda name: BahdanauAttention(units, name=name)}
        looking = kinds.get(attention, lambda name: LuongAttention(attention, name=name))("attention")
        read, _ = looking(y, memory, there)  # (batch, time, units)
        y = keras.layers.Dense(units, activation="tanh")(keras.layers.Concatenate()([y, read]))
    return keras.Model([read_in, said], keras.layers.Dense(target)(y))


def build_transformer(
    source: int,
    target: int,
    width: int = 64,
    *,
    heads: int = 4,
    layers: int = 2,
    feedforward: int = 128,
    codes: bool = True,
    longest: int = 256,
) -> "keras.Model":
    """A small Transformer (Vaswani et al. 2017), normalised before each part as in Xiong et al. (2020).

    Args:
        source, target: sizes of the vocabularies, padding included.
        width: of the vectors; a multiple of ``heads``, and even.
        heads, layers: of the attention, and blocks of encoder and decoder each.
        feedforward: width of the hidden layer between two attentions.
        codes: add a code of its place to every vector; without, the order of the source cannot be told.
        longest: the longest sequence that codes are made for.

    Raises:
        ValueError: a width that does not fit its heads, or a size below 1.
    """
    _check_transformer(width, heads, source, target, layers, feedforward, longest)
    read_in, said = _inputs()
    there = keras.ops.not_equal(read_in, 0)  # (batch, places)
    place = PositionCodes(longest) if codes else lambda vectors: vectors
    x = place(keras.layers.Embedding(source, width)(read_in))  # (batch, places, width)
    y = place(keras.layers.Embedding(target, width)(said))  # (batch, time, width)
    for _ in range(layers):
        normal = keras.layers.LayerNormalization()(x)
        x = x + MultiHeadAttention(heads, width // heads)(normal, normal, there)[0]
        x = x + _feed_forward(x, feedforward, width)
    memory = keras.layers.LayerNormalization()(x)
    for i in range(layers):
        normal = keras.layers.LayerNormalization()(y)
        y = y + MultiHeadAttention(heads, width // heads, causal=True)(normal, normal)[0]
        normal = keras.layers.LayerNormalization()(y)
        name = "attention" if i == layers - 1 else None  # the one that is drawn
        y = y + MultiHeadAttention(heads, width // heads, name=name)(normal, memory, there)[0]
        y = y + _feed_forward(y, feedforward, width)
    return keras.Model([read_in, said], keras.layers.Dense(target)(keras.layers.LayerNormalization()(y)))


def build_causal_transformer(
    vocabulary: int,
    width: int = 64,
    *,
    heads: int = 4,
    layers: int = 2,
    feedforward: int = 128,
    codes: bool = True,
    recurrent: str | None = None,
    longest: int = 256,
) -> "keras.Model":
    """The decoder of :func:`build_transformer` alone, as a model of text: no place looks at a later one.

    Takes whole numbers of shape (batch, time) and gives logits of what comes next, (batch, time, vocabulary).
    :class:`utils.generation.cached.CachedTransformer` writes with it symbol by symbol. The hybrid with a recurrent
    layer below is taught in lesson 15.

    Args:
        vocabulary: symbols that can be read and come next.
        width, heads, layers, feedforward, longest: as of :func:`build_transformer`.
        codes: add a code of its place to every vector. Without, order is known only by what each place cannot see.
        recurrent: a layer of this cell, one of ``CELLS``, below the blocks and the codes: what it puts out is added to
            what it is given, as in the blocks. A minGRU's model reads just ``longest`` symbols at a time.

    Raises:
        ValueError: as :func:`build_transformer`, or an unknown cell.
    """
    _check_transformer(width, heads, vocabulary, layers, feedforward, longest)
    if recurrent is not None and recurrent not in CELLS:
        raise ValueError(f"recurrent is {recurrent!r}; expected none or one of {', '.join(CELLS)}.")
    symbols = keras.Input((longest if recurrent == "minGRU" else None,), dtype="int32")
    x = keras.layers.Embedding(vocabulary, width)(symbols)  # (batch, time, width)
    if recurrent is not None or not codes:
        x = keras.layers.Rescaling(width**0.5)(x)
    if recurrent is not None:
        x = x + _layer(recurrent)(width, return_sequences=True)(x)
    if codes:
        x = PositionCodes(longest, scaled=recurrent is None)(x)
    for _ in range(layers):
        normal = keras.layers.LayerNormalization()(x)
        x = x + MultiHeadAttention(heads, width // heads, causal=True)(normal, normal)[0]
        x = x + _feed_forward(x, feedforward, width)
    return keras.Model(symbols, keras.layers.Dense(vocabulary)(keras.layers.LayerNormalization()(x)))


@keras.saving.register_keras_serializable("advanced_rnns")
class PositionCodes(keras.layers.Layer):
    """Adds the codes of :func:`utils.models.attention.position_codes` to vectors (batch, time, width).

    The vectors are first multiplied by the root of their width, so that they are about as large as the codes; not so
    with ``scaled=False``, where that has been done.
    """

    def __init__(self, longest: int = 256, scaled: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.longest, self.scaled = longest, scaled

    def call(self, x):
        codes = keras.ops.convert_to_tensor(position_codes(self.longest, x.shape[-1]))  # (longest, width)
        return x * (x.shape[-1] ** 0.5 if self.scaled else 1.0) + codes[: keras.ops.shape(x)[1]]

    def get_config(self) -> dict:
        return {**super().get_config(), "longest": self.longest, "scaled": self.scaled}


def teacher_forcing(answers, begin: int) -> np.ndarray:
    """What the decoder is given in training: the answer one step late, ``begin`` first.

    Args:
        answers: shape (batch, time), 0 behind each.
        begin: the symbol that every answer begins after, in the target's vocabulary.
    """
    answers = np.asarray(answers)
    return np.concatenate([np.full((len(answers), 1), begin, answers.dtype), answers[:, :-1]], axis=1)


def translate(model: "keras.Model", source, begin: int, steps: int) -> np.ndarray:
    """What a model says by itself, the likeliest symbol at each step.

    Each step reads again all that was said so far, which any decoder can do that does not look ahead. What follows
    after a 0, the end, is set to 0.

    Args:
        model: of :func:`build_seq2seq` or :func:`build_transformer`.
        source: shape (batch, places).
        begin: the symbol before the first.
        steps: how many symbols.

    Returns:
        Whole numbers of shape (batch, steps).
    """
    source = np.asarray(source, dtype=np.int32)
    said = np.zeros((len(source), steps + 1), np.int32)
    said[:, 0] = begin
    with borrow(model) as compiled:
        for step in range(steps):
            logits = compiled.predict([source, said[:, :steps]])  # (batch, steps, vocabulary)
            said[:, step + 1] = logits[:, step].argmax(axis=-1)
    ended = np.cumsum(said[:, 1:] == 0, axis=1) > 0
    return np.where(ended, 0, said[:, 1:])


class Said(NamedTuple):
    """What each of several streams read, and what it has said so far, ``begin`` first and 0 behind."""

    source: np.ndarray  # (streams, places)
    said: np.ndarray  # (streams, steps + 1)
    steps: int  # said by now

    @property
    def streams(self) -> int:
        return len(self.said)

    def take(self, streams) -> "Said":
        """Some of the streams, in any order; one that is named twice goes on twice."""
        return self._replace(source=self.source[streams], said=self.said[streams])


class Translator:
    """A model of this module, one symbol at a time, as :func:`utils.generation.beam.beam_search` wants it.

    Args:
        model: of :func:`build_seq2seq` or :func:`build_transformer`.
        begin: the symbol before the first.
        steps: how many symbols at most.
    """

    def __init__(self, model: "keras.Model", begin: int, steps: int) -> None:
        self.outputs = model.output_shape[-1]
        self._begin, self._steps = begin, steps
        numbers = tf.TensorSpec([None, None], tf.int32)
        self._forward = tf.function(
            lambda source, said: model([source, said], training=False), input_signature=[numbers, numbers]
        )

    def start(self, source) -> tuple[np.ndarray, Said]:
        """Logits of the first symbol, shape (outputs,), and the state, for one source of shape (places,)."""
        said = np.zeros((1, self._steps + 1), np.int32)
        said[:, 0] = self._begin
        logits, state = self._next(Said(np.asarray(source, np.int32)[None], said, 0))
        return logits[0], state

    def step(self, state: Said, symbols) -> tuple[np.ndarray, Said]:
        """Logits of what comes next, (streams, outputs), when each stream has said one more symbol."""
        said = state.said.copy()
        said[:, state.steps + 1] = symbols
        return self._next(state._replace(said=said, steps=state.steps + 1))

    def _next(self, state: Said) -> tuple[np.ndarray, Said]:
        logits = self._forward(tf.constant(state.source), tf.constant(state.said[:, : self._steps]))
        return logits[:, min(state.steps, self._steps - 1)].numpy(), state


def alignment(model: "keras.Model", source, said) -> np.ndarray:
    """Where the decoder looked while it wrote each symbol.

    Args:
        model: with attention; of a Transformer it is the last block's.
        source, said: as the model takes them.

    Returns:
        Weights of shape (batch, time, places), of a Transformer (batch, heads, time, places); they sum to 1.

    Raises:
        ValueError: a model without attention.
    """
    if not any(layer.name == "attention" for layer in model.layers):
        raise ValueError("This model has no attention, so it looks nowhere; build it with attention='bahdanau'.")
    _, weights = model.get_layer("attention").output
    looking = keras.Model(model.inputs, weights)
    return np.asarray(looking([np.asarray(source, np.int32), np.asarray(said, np.int32)], training=False))


def _layer(cell: str) -> type:
    """The layer of a cell of ``CELLS``."""
    layers = keras.layers
    return {"RNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU, "minGRU": MinimalRNN}[cell]


def _inputs(places: int | None = None, time: int | None = None) -> tuple:
    return keras.Input((places,), dtype="int32", name="source"), keras.Input((time,), dtype="int32", name="said")


def _check_transformer(width: int, heads: int, *sizes: int) -> None:
    if min(heads, *sizes) < 1 or width < 2 or width % heads or width % 2:
        raise ValueError(f"width is {width} with {heads} heads; expected an even multiple, and all sizes at least 1.")


def _feed_forward(x, hidden: int, width: int):
    x = keras.layers.LayerNormalization()(x)
    return keras.layers.Dense(width)(keras.layers.Dense(hidden, activation="relu")(x))
