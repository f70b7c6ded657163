"""A model of text: for every place the logits of the symbol that comes next, be it a character or a word."""

from utils.models.initializers import ForgetBias
from utils.runtime import keras

CELLS = ("LSTM", "GRU", "RNN")


def build_language_model(
    vocabulary: int,
    units: int = 128,
    layers: int = 1,
    *,
    cell: str = "LSTM",
    embedding: int = 32,
    tied: bool = False,
    dropout: float = 0.0,
    forget_bias: float | None = None,
) -> "keras.Model":
    """Embedded symbols -> recurrent layers -> logits of the next symbol: (batch, time) to (batch, time, vocabulary).

    Taught in lesson 13. The embedding starts with a standard deviation of 1. Keras' own start, numbers up to 0.05,
    whispers to the gates, and training spends its first updates on making them louder.

    A style token needs no model of its own: it is one more symbol of the vocabulary, read before the text.

    Args:
        vocabulary: symbols that can be read and come next, style tokens included.
        units: width of the hidden state of each layer.
        layers: recurrent layers on top of one another.
        cell: "LSTM", "GRU" or "RNN" (Keras' SimpleRNN).
        embedding: size of the vector of each symbol.
        tied: the head uses the vectors of the embedding, so a symbol that is read and one that is written share what is
            learned of them, and the model has fewer parameters (Press and Wolf 2017; Inan, Khosravi and Socher 2017).
            Otherwise the head is a dense layer of its own.
        dropout: share of each recurrent layer's outputs set to zero during training.
        forget_bias: start of an LSTM's forget bias (Keras: 1).

    Raises:
        ValueError: an unknown cell, a size below 1, ``forget_bias`` of another cell than an LSTM, or ``tied`` with an
            ``embedding`` that is not as wide as the hidden state.
    """
    if cell not in CELLS:
        raise ValueError(f"Unknown cell {cell!r}; expected one of {', '.join(CELLS)}.")
    sizes = {"vocabulary": vocabulary, "units": units, "layers": layers, "embedding": embedding}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected at least 1.")
    if forget_bias is not None and cell != "LSTM":
        raise ValueError(f"forget_bias is for an LSTM; a {cell} has no forget gate.")
    if tied and embedding != units:
        raise ValueError(f"tied needs vectors as wide as the hidden state; got embedding={embedding}, units={units}.")

    layer_class = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU, "RNN": keras.layers.SimpleRNN}[cell]
    start = {} if forget_bias is None else {"bias_initializer": ForgetBias(forget_bias), "unit_forget_bias": False}
    between = []
    for _ in range(layers):
        between.append(layer_class(units, return_sequences=True, **start))
        if dropout:
            between.append(keras.layers.Dropout(dropout))
    inputs = keras.Input((None,), dtype="int32")
    normal = keras.initializers.RandomNormal(stddev=1.0)
    if not tied:
        vectors = keras.layers.Embedding(vocabulary, embedding, embeddings_initializer=normal)
        return keras.Sequential([inputs, vectors, *between, keras.layers.Dense(vocabulary)])
    # As a head, vectors of this start would give logits in the tens.
    quiet = keras.initializers.RandomNormal(stddev=embedding**-0.5)
    vectors = keras.layers.ReversibleEmbedding(vocabulary, embedding, embeddings_initializer=quiet)
    x = vectors(inputs)  # (batch, time, embedding)
    x = keras.layers.Rescaling(embedding**0.5)(x)
    for layer in between:
        x = layer(x)  # (batch, time, units)
    return keras.Model(inputs, vectors(x, reverse=True))  # (batch, time, vocabulary)
