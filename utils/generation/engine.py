"""One step of a recurrent Keras model in NumPy, with the state in the caller's hand: how text is made symbol by symbol.

A symbol at a time Keras spends nearly all of its time on everything but arithmetic. Here the weights are read once;
what the first layer makes of each symbol is computed beforehand, so that a step is one product with the recurrent
weights per layer, and one with the head. ::

    engine = Engine(model)
    state = engine.start(streams=2)
    logits, state = engine.step(state, [3, 5])  # (2, vocabulary)

A state is never changed: keep it to go back, give it to two steps to fork.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from utils import runtime

if TYPE_CHECKING:  # what serves a stored network need not wait for TensorFlow
    from utils.runtime import keras


class State(NamedTuple):
    """Of each recurrent layer the arrays that it hands on, each (streams, units): h, and of an LSTM also c."""

    layers: tuple[tuple[np.ndarray, ...], ...]

    @property
    def streams(self) -> int:
        return len(self.layers[0][0])

    def take(self, streams: Sequence[int]) -> "State":
        """Those of some streams, in this order; one that is named twice is forked."""
        streams = np.asarray(streams)
        return State(tuple(tuple(array[streams] for array in arrays) for arrays in self.layers))

    def refill(self, streams: Sequence[int], other: "State") -> "State":
        """With some streams replaced by those of another state, as when a text has ended and another begins.

        Raises:
            ValueError: another number of streams in ``other`` than named.
        """
        if other.streams != len(streams):
            raise ValueError(f"{len(streams)} streams are named and {other.streams} given; expected as many of both.")
        layers = []
        for arrays, new in zip(self.layers, other.layers, strict=True):
            arrays = [array.copy() for array in arrays]
            for array, values in zip(arrays, new, strict=True):
                array[np.asarray(streams)] = values
            layers.append(tuple(arrays))
        return State(tuple(layers))


class Weights(NamedTuple):
    """What an engine computes with, in the shapes and the order of gates that Keras has.

    Attributes:
        embedding: shape (vocabulary, size).
        cells: of each recurrent layer its kind, ``"RNN"``, ``"LSTM"`` or ``"GRU"``, and three arrays: its kernel, shape
            (inputs, gates * units), recurrent kernel, (units, gates * units), and bias, (gates * units,), of a GRU
            (2, 3 * units).
        head: kernel, shape (units, outputs), and bias; None where it is the embedding once more.
        scale: an embedded symbol is multiplied by it.
    """

    embedding: np.ndarray
    cells: tuple[tuple[str, tuple[np.ndarray, np.ndarray, np.ndarray]], ...]
    head: tuple[np.ndarray, np.ndarray] | None
    scale: float = 1.0


class Engine:
    """The step of a model that reads symbols: Embedding, one or several SimpleRNN, LSTM or GRU layers, head.

    The head is a Dense layer, or the embedding once more, see :func:`utils.models.language_model.build_language_model`.

    Attributes:
        vocabulary: how many symbols the model reads.
        outputs: how many logits it gives.
        weights: what it computes with.
    """

    def __init__(self, model: "keras.Model | Weights") -> None:
        """Read the weights; later training of the model does not reach the engine.

        Raises:
            ValueError: a layer that the engine does not know, one with a setting it does not follow, or weights whose
                shapes do not fit together.
        """
        self.weights = weights = model if isinstance(model, Weights) else _weights(model)
        _check(weights)
        table = weights.embedding
        self._head = weights.head or (np.ascontiguousarray(table.T), np.zeros(len(table), table.dtype))
        self._cells = [_KINDS[kind](*arrays) for kind, arrays in weights.cells]
        self._table = self._cells[0].given(np.float32(weights.scale) * table)  # (vocabulary, gates * units)
        self.vocabulary, self.outputs = len(table), self._head[0].shape[1]

    def start(self, streams: int = 1) -> State:
        """Zeros: the state before the first symbol.

        Raises:
            ValueError: less than one stream.
        """
        if streams < 1:
            raise ValueError(f"streams is {streams}; expected at least 1.")
        return State(tuple(cell.start(streams) for cell in self._cells))

    def step(self, state: State, symbols: Sequence[int], *, block: int | None = None) -> tuple[np.ndarray, State]:
        """Read one symbol of each stream.

        Args:
            state: of :meth:`start` or an earlier step.
            symbols: whole numbers below ``vocabulary``, shape (streams,).
            block: multiply so many streams at a time, of which there must be a multiple. Libraries sum the rows of a
                product in an order that depends on how many there are; in blocks of eight each stream is computed to
                the last bit as it would be beside any others, for up to twice the time.

        Returns:
            Logits of the next symbol, shape (streams, outputs), and the state after it.

        Raises:
            ValueError: not one symbol per stream, or one that the model does not know.
        """
        symbols, streams = np.asarray(symbols), state.streams
        if symbols.shape != (streams,):
            raise ValueError(f"symbols has the shape {symbols.shape}; expected one per stream, ({streams},).")
        if symbols.dtype.kind not in "iu":
            raise ValueError(f"symbols holds {symbols.dtype}; expected whole numbers, as a Vocabulary encodes a text.")
        low, high = (symbols.item(),) * 2 if streams == 1 else (symbols.min(), symbols.max())
        if not 0 <= low <= high < self.vocabulary:
            raise ValueError(f"symbols holds {low} to {high}; expected 0 to {self.vocabulary - 1}.")
        given = self._table[low : low + 1] if streams == 1 else self._table[symbols]  # (streams, gates * units)
        after = []
        for cell, arrays in zip(self._cells, state.layers, strict=True):
            if after:
                given = cell.given(after[-1][0], block)
            after.append(cell.step(given, block, *arrays))
        kernel, bias = self._head
        return _product(after[-1][0], kernel, block) + bias, State(tuple(after))

    def read(self, symbols: Sequence[Sequence[int]], state: State | None = None) -> tuple[np.ndarray, State]:
        """Read a text in each stream, such as a prompt.

        Args:
            symbols: shape (streams, time), at least one step.
            state: before the first symbol; that of :meth:`start` when not given.

        Returns:
            Logits after every symbol, shape (streams, time, outputs), and the last state.

        Raises:
            ValueError: symbols of another shape.
        """
        symbols = np.asarray(symbols)
        if symbols.ndim != 2 or 0 in symbols.shape:
            raise ValueError(f"symbols has the shape {symbols.shape}; expected (streams, time), at least one of both.")
        state = state or self.start(len(symbols))
        logits = []
        for column in symbols.T:
            out, state = self.step(state, column)
            logits.append(out)
        return np.stack(logits, axis=1), state


class _Cell:
    """A layer's weights, in Keras' order of gates, and its step.

    A gate is sigmoid(a) = (1 + tanh(a / 2)) / 2. The halves are multiplied into the weights beforehand, without any
    rounding. For one stream the recurrent weights lie column by column, as a product with one vector reads them.
    """

    halved: tuple[float, ...] = (1.0,)  # of each gate

    def __init__(self, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> None:
        self.units = len(recurrent)
        scale = np.repeat(np.array(self.halved, kernel.dtype), self.units)  # (gates * units,)
        self.kernel, self.recurrent, self.bias = scale * kernel, scale * recurrent, scale * bias
        self._by_column = np.asfortranarray(self.recurrent)

    def given(self, x: np.ndarray, block: int | None = None) -> np.ndarray:
        """What the gates get from the inputs, shape (rows, gates * units)."""
        return _product(x, self.kernel, block) + self.bias

    def back(self, h: np.ndarray, block: int | None) -> np.ndarray:
        """What the gates get from the state, shape (streams, gates * units)."""
        return _product(h, self._by_column if len(h) == 1 else self.recurrent, block)

    def start(self, streams: int) -> tuple[np.ndarray, ...]:
        return (np.zeros((streams, self.units), self.kernel.dtype),)


class _RNN(_Cell):
    def step(self, given, block, h):
        return (np.tanh(given + self.back(h, block)),)


class _LSTM(_Cell):
    halved = (0.5, 0.5, 1.0, 0.5)  # input, forget, candidate, output

    def start(self, streams: int):
        return super().start(streams) * 2

    def step(self, given, block, h, c):
        u = self.units
        gates = self.back(h, block)
        gates += given
        np.tanh(gates, out=gates)  # (streams, 4 * units)
        new = gates[:, 2 * u : 3 * u].copy()
        gates += 1
        gates *= 0.5
        new *= gates[:, :u]
        c = gates[:, u : 2 * u] * c
        c += new
        h = np.tanh(c)
        h *= gates[:, 3 * u :]
        return h, c


class _GRU(_Cell):
    halved = (0.5, 0.5, 1.0)  # update, reset, candidate

    def __init__(self, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> None:
        super().__init__(kernel, recurrent, bias)
        bias, back = self.bias  # reset_after: one for the inputs, one for the state
        both = 2 * self.units
        self.bias, self.candidate_bias = np.append(bias[:both] + back[:both], bias[both:]), back[both:]

    def step(self, given, block, h):
        u = self.units
        back = self.back(h, block)  # (streams, 3 * units)
        gates = back[:, : 2 * u] + given[:, : 2 * u]
        np.tanh(gates, out=gates)
        gates += 1
        gates *= 0.5
        new = back[:, 2 * u :] + self.candidate_bias
        new *= gates[:, u:]
        new += given[:, 2 * u :]
        np.tanh(new, out=new)
        h = h - new
        h *= gates[:, :u]
        h += new
        return (h,)


def _product(x: np.ndarray, weights: np.ndarray, block: int | None) -> np.ndarray:
    """x times weights, so many rows at a time."""
    if block is None or block == len(x):
        return x @ weights
    return np.matmul(x.reshape(-1, block, x.shape[1]), weights).reshape(len(x), -1)


_KINDS = {"RNN": _RNN, "LSTM": _LSTM, "GRU": _GRU}


def _check(weights: Weights) -> None:
    """Refuse what does not fit together."""
    embedding, cells, head, _ = weights
    if embedding.ndim != 2 or not cells:
        raise ValueError(f"The embedding has the shape {embedding.shape} and there are {len(cells)} recurrent layers.")
    width = embedding.shape[1]
    for i, (kind, arrays) in enumerate(cells):
        if kind not in _KINDS:
            raise ValueError(f"Layer {i} is of the kind {kind!r}; expected one of {', '.join(_KINDS)}.")
        gates, units = len(_KINDS[kind].halved), len(arrays[1]) if arrays[1].ndim else 0
        biases = (2, gates * units) if kind == "GRU" else (gates * units,)
        expected = [(width, gates * units), (units, gates * units), biases]
        if [array.shape for array in arrays] != expected:
            found = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(f"Layer {i}, {kind}, has weights of the shapes {found}; expected {expected}.")
        width = units
    kernel = embedding.T if head is None else head[0]
    biases = kernel.shape[1:] if head is None else head[1].shape
    if kernel.ndim != 2 or len(kernel) != width or biases != kernel.shape[1:]:
        raise ValueError(
            f"The head has weights of the shapes {kernel.shape}, {biases}; expected ({width}, outputs), (outputs,)."
        )


def _weights(model: "keras.Model") -> Weights:
    """Those of a model of the layers that the engine knows."""
    keras = runtime.keras
    if not isinstance(model, keras.Model):
        _refuse(model)
    passed_over = (keras.layers.InputLayer, keras.layers.Dropout)
    layers = [layer for layer in model.layers if not isinstance(layer, passed_over)]
    tied = len(layers) > 2 and isinstance(layers[0], keras.layers.ReversibleEmbedding) and layers[0].tie_weights
    if not (tied or isinstance(model, keras.Sequential)):
        _refuse(model)
    embedding = layers[0]
    if not isinstance(embedding, keras.layers.Embedding):
        _refuse(embedding)
    _demand(embedding, "mask_zero", False)
    if tied:
        if not isinstance(layers[1], keras.layers.Rescaling):
            _refuse(layers[1])
        return Weights(embedding.get_weights()[0], tuple(map(_cell, layers[2:])), None, float(layers[1].scale))
    cells, head = layers[1:-1], layers[-1]
    if not isinstance(head, keras.layers.Dense) or not cells:
        _refuse(head)
    _demand(head, "activation", "linear")
    return Weights(embedding.get_weights()[0], tuple(map(_cell, cells)), tuple(head.get_weights()))


def _cell(layer) -> tuple[str, tuple[np.ndarray, ...]]:
    """Kind and weights of a recurrent layer."""
    layers = runtime.keras.layers
    kinds = {layers.SimpleRNN: "RNN", layers.LSTM: "LSTM", layers.GRU: "GRU"}
    if type(layer) not in kinds:
        _refuse(layer)
    followed = {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "reset_after": True,
        "return_sequences": True,
        "go_backwards": False,
    }
    for name, value in followed.items():
        _demand(layer, name, value)
    return kinds[type(layer)], tuple(layer.get_weights())


def _demand(layer, name: str, value) -> None:
    given = layer.get_config().get(name, value)
    if given != value:
        raise ValueError(f"The layer {layer.name!r} has {name}={given!r}; the engine follows {name}={value!r} only.")


def _refuse(layer):
    raise ValueError(
        f"The engine does not know a {type(layer).__name__} there; expected a Sequential model of an Embedding, "
        "SimpleRNN, LSTM or GRU layers, and a Dense head, as build_language_model() makes it."
    )
