"""One function that builds any recurrent model of the course: cell, width, depth, direction and head are arguments."""

import functools
from collections.abc import Sequence

from utils.models import minimal
from utils.models.initializers import Chrono, ForgetBias
from utils.models.normalized import NormalizedLSTMCell
from utils.runtime import keras

CELLS = ("RNN", "LSTM", "GRU", *minimal.CELLS)


def build_recurrent(
    cell: str | Sequence[str] = "LSTM",
    units: int = 32,
    layers: int | None = None,
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
    residual: bool = False,
    name: str | None = None,
) -> "keras.Model":
    """A Keras model: inputs or embedded symbols -> recurrent layers -> dense head.

    Args:
        cell: "RNN" (tanh, Keras' SimpleRNN), "LSTM", "GRU", or "minGRU" and "minLSTM", see
            :class:`utils.models.minimal.MinimalRNN`. For a mixed stack one for each layer, the lowest first, such as
            ``("LSTM", "GRU")``.
        units: width of the hidden state; not the number of time steps.
        layers: recurrent layers on top of one another; one when not given, or as many as cells are named.
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
        residual: from the second recurrent layer on, add what a layer is given to what it puts out, at every time step:
            the skip connections of He et al. (2016), through depth as in Wu et al. (2016). Adds no parameters. The
            first layer has none, since its input has another width; with one layer nothing changes.
        name: name of the model.

    Raises:
        ValueError: an unknown cell, another number of cells than ``layers``, neither or both of ``features`` and
            ``vocabulary``, a size below 1, an initial bias that a cell does not have, ``mask_zero`` without a
            vocabulary, ``residual`` in both directions, ``normalization`` of another cell than an LSTM or together with
            a starting bias.
    """
    cells = (cell,) * (1 if layers is None else layers) if isinstance(cell, str) else tuple(cell)
    for name_of_cell in [cell] if isinstance(cell, str) else cells:
        if name_of_cell not in CELLS:
            raise ValueError(f"Unknown cell {name_of_cell!r}; expected one of {', '.join(CELLS)}.")
    layers = len(cells) if layers is None else layers
    if layers != len(cells) and layers > 0:
        raise ValueError(f"layers is {layers} and the cells are {cells}; expected one for each layer.")
    if (features is None) == (vocabulary is None):
        raise ValueError("Give either features (numbers per step) or vocabulary (number of symbols).")
    sizes = {"units": units, "layers": layers, "outputs": outputs, "features": features, "vocabulary": vocabulary}
    for size_name, size in sizes.items():
        if size is not None and size < 1:
            raise ValueError(f"{size_name} is {size}; expected at least 1.")
    if mask_zero and vocabulary is None:
        raise ValueError("mask_zero is for symbols, where 0 can be padding; numbers need a keras.layers.Masking.")
    if normalization is not None and (set(cells) != {"LSTM"} or forget_bias is not None or longest is not None):
        raise ValueError("normalization is for an LSTM with its default starting bias.")
    if residual and bidirectional:
        raise ValueError("residual and bidirectional together are not supported; give one.")
    biases = [_bias(name_of_cell, forget_bias, longest) for name_of_cell in cells]  # refuse before anything is built

    front = []
    if vocabulary is None:
        front.append(keras.Input((sequence_length, features)))
    else:
        front.append(keras.Input((sequence_length,), dtype="int32"))
        front.append(keras.layers.Embedding(vocabulary, embedding, mask_zero=mask_zero))
    classes = {
        "RNN": keras.layers.SimpleRNN,
        "LSTM": keras.layers.LSTM,
        "GRU": keras.layers.GRU,
        "minGRU": functools.partial(minimal.MinimalRNN, cell="minGRU"),
        "minLSTM": functools.partial(minimal.MinimalRNN, cell="minLSTM"),
    }
    stack = []  # for each recurrent layer, what belongs to it
    for i, (name_of_cell, bias) in enumerate(zip(cells, biases, strict=True)):
        every = every_step or residual or i < layers - 1
        if normalization is None:
            layer = classes[name_of_cell](units, return_sequences=every, **bias)
        else:
            layer = keras.layers.RNN(NormalizedLSTMCell(units, normalization, sequence_length), return_sequences=every)
        stack.append([keras.layers.Bidirectional(layer) if bidirectional else layer])
        if dropout:
            stack[-1].append(keras.layers.Dropout(dropout))
    head = keras.layers.Dense(outputs, activation=activation)
    if not residual:
        return keras.Sequential([*front, *(layer for group in stack for layer in group), head], name=name)

    x = inputs = front[0]
    for layer in front[1:]:
        x = layer(x)  # (batch, time, features)
    for i, group in enumerate(stack):
        given = x
        for layer in group:
            x = layer(x)  # (batch, time, units)
        if i > 0:
            x = keras.layers.Add()([given, x])
    if not every_step:
        x = LastStep()(x)  # (batch, units)
    return keras.Model(inputs, head(x), name=name)


@keras.saving.register_keras_serializable("advanced_rnns")
class LastStep(keras.layers.Layer):
    """The last time step: (batch, time, units) becomes (batch, units).

    After padding behind a sequence this is its last real step, if the layers before passed over the padding.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        return x[:, -1]

    def compute_mask(self, inputs, mask=None):
        return None


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
