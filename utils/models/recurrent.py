"""One function that builds any recurrent model of the course: cell, width, depth, direction and head are arguments."""

import functools

from utils.models import minimal
from utils.models.initializers import Chrono, ForgetBias
from utils.models.normalized import NormalizedLSTMCell
from utils.runtime import keras

CELLS = ("RNN", "LSTM", "GRU", *minimal.CELLS)


def build_recurrent(
    cell: str = "LSTM",
    units: int = 32,
    layers: int = 1,
    *,
    features: int | None = None,
    vocabulary: int | None = None,
    embedding: int = 16,
    sequence_length: int | None = None,
    outputs: int = 1,
    activation: str | None = None,
    every_step: bool = False,
    bidirectional: bool = False,
    forget_bias: float | None = None,
    longest: float | None = None,
    mask_zero: bool = False,
    normalization: str | None = None,
    dropout: float = 0.0,
    name: str | None = None,
) -> "keras.Sequential":
    """A Keras model: inputs or embedded symbols -> recurrent layers -> dense head.

    Args:
        cell: "RNN" (tanh, Keras' SimpleRNN), "LSTM", "GRU", or "minGRU" and "minLSTM", see
            :class:`utils.models.minimal.Minimal`.
        units: width of the hidden state; not the number of time steps.
        layers: recurrent layers on top of one another.
        features: numbers per time step; the input has shape (batch, time, features).
        vocabulary: symbols per time step instead; the input has shape (batch, time) and holds integers below it.
        embedding: size of the vector each symbol is turned into.
        sequence_length: time steps, or None for any number.
        outputs: size of the head.
        activation: of the head, such as "softmax"; none by default.
        every_step: whether the head reads every hidden state, shape (batch, time, outputs), or the last one only.
        bidirectional: read the sequence in both directions; never for a forecast.
        forget_bias: start of an LSTM's forget bias (Keras: 1), or of the bias of what a minGRU or minLSTM keeps (0).
        longest: chrono initialisation for memories up to this many steps (LSTM and GRU).
        mask_zero: symbol 0 is padding; the recurrent layers pass over the steps that hold it.
        normalization: of an LSTM's gates: "layer", or "batch" with statistics for each of ``sequence_length`` steps;
            see :class:`utils.models.normalized.NormalizedLSTMCell`.
        dropout: share of each layer's outputs set to zero during training.
        name: name of the model.

    Raises:
        ValueError: an unknown cell, neither or both of ``features`` and ``vocabulary``, a size below 1, an initial bias
            that the cell does not have, ``mask_zero`` without a vocabulary, ``normalization`` of another cell than an
            LSTM or together with a starting bias.
    """
    if cell not in CELLS:
        raise ValueError(f"Unknown cell {cell!r}; expected one of {', '.join(CELLS)}.")
    if (features is None) == (vocabulary is None):
        raise ValueError("Give either features (numbers per step) or vocabulary (number of symbols).")
    sizes = {"units": units, "layers": layers, "outputs": outputs, "features": features, "vocabulary": vocabulary}
    for size_name, size in sizes.items():
        if size is not None and size < 1:
            raise ValueError(f"{size_name} is {size}; expected at least 1.")
    if mask_zero and vocabulary is None:
        raise ValueError("mask_zero is for symbols, where 0 can be padding; numbers need a keras.layers.Masking.")
    if normalization is not None and (cell != "LSTM" or forget_bias is not None or longest is not None):
        raise ValueError("normalization is for an LSTM with its default starting bias.")
    _bias(cell, forget_bias, longest)  # refuse before anything is built

    model = keras.Sequential(name=name)
    if vocabulary is None:
        model.add(keras.Input((sequence_length, features)))
    else:
        model.add(keras.Input((sequence_length,), dtype="int32"))
        model.add(keras.layers.Embedding(vocabulary, embedding, mask_zero=mask_zero))
    layer_class = {
        "RNN": keras.layers.SimpleRNN,
        "LSTM": keras.layers.LSTM,
        "GRU": keras.layers.GRU,
        "minGRU": functools.partial(minimal.Minimal, cell="minGRU"),
        "minLSTM": functools.partial(minimal.Minimal, cell="minLSTM"),
    }[cell]
    for i in range(layers):
        sequences = every_step or i < layers - 1
        if normalization is None:
            layer = layer_class(units, return_sequences=sequences, **_bias(cell, forget_bias, longest))
        else:
            normalized = NormalizedLSTMCell(units, normalization, sequence_length)
            layer = keras.layers.RNN(normalized, return_sequences=sequences)
        model.add(keras.layers.Bidirectional(layer) if bidirectional else layer)
        if dropout:
            model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(outputs, activation=activation))
    return model


def _bias(cell: str, forget_bias: float | None, longest: float | None) -> dict:
    """Keyword arguments that make a layer start with the bias asked for."""
    if forget_bias is not None and longest is not None:
        raise ValueError("forget_bias and longest both set the starting bias; give one.")
    if forget_bias is not None:
        if cell in minimal.CELLS:
            return {"keep_bias": forget_bias}
        if cell != "LSTM":
            raise ValueError(f"forget_bias is for an LSTM; a {cell} has no forget gate. A GRU takes longest.")
        return {"bias_initializer": ForgetBias(forget_bias), "unit_forget_bias": False}
    if longest is not None:
        if cell == "RNN":
            raise ValueError("longest is for LSTM and GRU; an RNN has no gate that could keep a memory.")
        if cell in minimal.CELLS:
            raise ValueError(f"longest is for LSTM and GRU; a {cell} takes forget_bias.")
        return {"bias_initializer": Chrono(longest), **({"unit_forget_bias": False} if cell == "LSTM" else {})}
    return {}
