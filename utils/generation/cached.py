"""A small Transformer symbol by symbol in NumPy, with a key-value cache: what it has to keep grows with the text.

A recurrent network folds what it has read into a state of fixed size. A Transformer looks back at every place, so the
key and the value of every place are kept; a step computes those of the new place and looks at all. ::

    writer = CachedTransformer(model)  # of build_causal_transformer()
    logits, cache = writer.step(writer.start(), [3])
    cache.nbytes, cache.length
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from utils.generation.engine import Engine
from utils.models.attention import MultiHeadAttention, position_codes
from utils.models.minimal import MinimalRNN
from utils.models.seq2seq import PositionCodes
from utils.runtime import keras


class Cache(NamedTuple):
    """Of each layer the keys and values of all that was read, each (streams, heads, length, width of a head).

    Like an engine's state it is never changed: a step copies it, which a service that holds one cache per stream would
    not do.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def streams(self) -> int:
        return len(self.layers[0][0])

    @property
    def length(self) -> int:
        return self.layers[0][0].shape[2]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for arrays in self.layers for array in arrays)

    def take(self, streams: Sequence[int]) -> "Cache":
        """Those of some streams, in this order; one that is named twice is forked."""
        streams = np.asarray(streams)
        return Cache(tuple(tuple(array[streams] for array in arrays) for arrays in self.layers))


class CachedTransformer:
    """The step of a model of :func:`utils.models.seq2seq.build_causal_transformer`, with the methods of ``Engine``.

    Taught in lesson 14.

    Attributes:
        vocabulary, outputs: how many symbols it reads and writes.
        longest: the longest text it has position codes for.
    """

    def __init__(self, model: "keras.Model") -> None:
        """Read the weights; later training of the model does not reach it.

        Raises:
            ValueError: another model.
        """
        layers = {
            kind: [layer for layer in getattr(model, "layers", []) if isinstance(layer, kind)]
            for kind in (
                keras.layers.Embedding,
                PositionCodes,
                keras.layers.LayerNormalization,
                MultiHeadAttention,
                keras.layers.Dense,
                (keras.layers.RNN, MinimalRNN),  # it has no state for one below
            )
        }
        counts = [len(found) for found in layers.values()]
        blocks = counts[3]
        if counts != [1, 1, 2 * blocks + 1, blocks, 2 * blocks + 1, 0] or blocks == 0:
            raise ValueError(
                "Expected a model of build_causal_transformer(), with codes and no recurrent layer below; "
                f"got {model!r}."
            )
        (embedding,), (codes,), norms, attentions, denses, _ = layers.values()
        if not all(attention.causal and attention.scaled for attention in attentions):
            raise ValueError("Expected attention that is scaled and looks at no later place; this one differs.")
        table = embedding.get_weights()[0]
        self._table = table * np.float32(table.shape[1] ** 0.5)  # (vocabulary, width)
        self._codes = position_codes(codes.longest, table.shape[1])
        self._norms = [(norm.epsilon, *norm.get_weights()) for norm in norms]
        self._attentions = [[np.asarray(weight) for weight in attention.weights] for attention in attentions]
        self._heads = attentions[0].heads
        self._denses = [dense.get_weights() for dense in denses]
        self.vocabulary, self.outputs, self.longest = len(table), self._denses[-1][0].shape[1], codes.longest

    def start(self, streams: int = 1) -> Cache:
        """Empty: nothing has been read.

        Raises:
            ValueError: less than one stream.
        """
        if streams < 1:
            raise ValueError(f"streams is {streams}; expected at least 1.")
        empty = np.zeros((streams, self._heads, 0, self._table.shape[1] // self._heads), np.float32)
        return Cache(((empty, empty),) * len(self._attentions))

    def step(self, state: Cache, symbols: Sequence[int]) -> tuple[np.ndarray, Cache]:
        """Read one symbol of each stream; see :meth:`utils.generation.engine.Engine.step`.

        Raises:
            ValueError: symbols that do not fit, or a text that is longer than ``longest``.
        """
        symbols, place = np.asarray(symbols), state.length
        if symbols.shape != (state.streams,):
            raise ValueError(f"symbols has the shape {symbols.shape}; expected one per stream, ({state.streams},).")
        if symbols.dtype.kind not in "iu" or symbols.min() < 0 or symbols.max() >= self.vocabulary:
            raise ValueError(f"symbols holds {symbols}; expected whole numbers from 0 to {self.vocabulary - 1}.")
        if place >= self.longest:
            raise ValueError(
                f"The text has {place} symbols, as many as there are position codes. Build the model "
                "with a larger longest=."
            )
        x, after = self._table[symbols] + self._codes[place], []  # (streams, width)
        for i, (attention, kept) in enumerate(zip(self._attentions, state.layers, strict=True)):
            read, kept = self._look(attention, kept, _normal(x, *self._norms[2 * i]))
            x = x + read
            after.append(kept)
            (into, into_bias), (out, out_bias) = self._denses[2 * i : 2 * i + 2]
            hidden = np.maximum(_normal(x, *self._norms[2 * i + 1]) @ into + into_bias, 0)
            x = x + hidden @ out + out_bias
        kernel, bias = self._denses[-1]
        return _normal(x, *self._norms[-1]) @ kernel + bias, Cache(tuple(after))

    read = Engine.read  # symbol by symbol, by start() and step() alone

    def _look(self, weights: list, kept: tuple, x: np.ndarray) -> tuple[np.ndarray, tuple]:
        """What the new place reads from all, (streams, width), and the keys and values with its own."""
        q, k, v = (
            (x @ kernel + bias).reshape(len(x), self._heads, 1, -1)  # (streams, heads, 1, width of a head)
            for kernel, bias in zip(weights[0:6:2], weights[1:6:2], strict=True)
        )
        keys, values = (np.concatenate(pair, axis=2) for pair in zip(kept, (k, v), strict=True))
        scores = q @ keys.transpose(0, 1, 3, 2) / np.float32(q.shape[-1] ** 0.5)  # (streams, heads, 1, length)
        read = (softmax(scores, axis=-1) @ values).reshape(len(x), -1)  # (streams, heads * width of a head)
        return read @ weights[6] + weights[7], (keys, values)


def _normal(x: np.ndarray, epsilon: float, gain: np.ndarray, shift: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) * gain + shift
