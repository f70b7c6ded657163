"""A model of text: for every place the logits of the symbol that comes next, be it a character or a word."""

from collections.abc import Sequence

from utils.models.recurrent import build_recurrent
from utils.runtime import keras


def build_language_model(
    vocabulary: int,
    units: int = 128,
    layers: int | None = None,
    *,
    cell: str | Sequence[str] = "LSTM",
    embedding: int = 32,
    sequence_length: int | None = None,
    tied: bool = False,
    dropout: float = 0.0,
    forget_bias: float | None = None,
) -> "keras.Model":
    """Embedded symbols -> recurrent layers -> logits of the next symbol: (batch, time) to (batch, time, vocabulary).

    Taught in lesson 13. What :func:`utils.models.recurrent.build_recurrent` makes, except that the embedding starts
    with a standard deviation of 1. Keras' own start, numbers up to 0.05, whispers to the gates, and training spends its
    first updates on making them louder.

    A style token needs no model of its own: it is one more symbol of the vocabulary, read before the text.

    Args:
        vocabulary: symbols that can be read and come next, style tokens included.
        units, layers, cell, dropout, forget_bias: as of ``build_recurrent``; several cells make a mixed stack.
        embedding: size of the vector of each symbol.
        sequence_length: symbols that are read at once, which a minGRU or minLSTM has to know; any number by default.
        tied: the head uses the vectors of the embedding, so a symbol that is read and one that is written share what is
            learned of them, and the model has fewer parameters (Press and Wolf 2017; Inan, Khosravi and Socher 2017).
            Otherwise the head is a dense layer of its own.

    Raises:
        ValueError: what ``build_recurrent`` refuses, or ``tied`` with an ``embedding`` that is not as wide as the
            hidden state.
    """
    if tied and embedding != units:
        raise ValueError(f"tied needs vectors as wide as the hidden state; got embedding={embedding}, units={units}.")
    size = {"vocabulary": vocabulary, "embedding": embedding, "outputs": vocabulary, "sequence_length": sequence_length}
    start = {"dropout": dropout, "forget_bias": forget_bias}
    model = build_recurrent(cell, units, layers, **size, **start, every_step=True)
    if not tied:
        vectors = model.layers[0].embeddings
        vectors.assign(keras.random.normal(vectors.shape))
        return model
    # As a head, vectors of this start would give logits in the tens: quiet ones, made louder on the way in.
    quiet = keras.initializers.RandomNormal(stddev=embedding**-0.5)
    vectors = keras.layers.ReversibleEmbedding(vocabulary, embedding, embeddings_initializer=quiet)
    inputs = keras.Input((sequence_length,), dtype="int32")
    x = keras.layers.Rescaling(embedding**0.5)(vectors(inputs))  # (batch, time, embedding)
    for layer in model.layers[1:-1]:
        x = layer(x)  # (batch, time, units)
    return keras.Model(inputs, vectors(x, reverse=True))  # (batch, time, vocabulary)
