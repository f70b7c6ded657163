"""Attention, written out: every layer gives what it read, and the weights with which it looked.

Taught in lesson 12. Queries ask, keys are compared with them, values are what is read; here keys and values are one
sequence, the *memory*. A mask is True where something may be looked at: padding is False.
"""

import numpy as np

from utils.runtime import keras

NEVER = -1e9  # the score of a place that may not be looked at
KINDS = ("dot", "general", "concat")


@keras.saving.register_keras_serializable("advanced_rnns")
class BahdanauAttention(keras.layers.Layer):
    """Additive attention: the score of a place is v^T tanh(W q + U k) (Bahdanau, Cho and Bengio 2015, section A.1.2).

    Args:
        units: width of the hidden layer that compares query and key.

    Call:
        ``(query, memory, mask=None)`` of shapes (batch, asked, width), (batch, places, width), (batch, places). Returns
        what was read, (batch, asked, width of the memory), and the weights, (batch, asked, places), which sum to 1.
    """

    def __init__(self, units: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.of_query = keras.layers.Dense(units, use_bias=False, name="of_query")
        self.of_key = keras.layers.Dense(units, name="of_key")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.supports_masking = True

    def build(self, query_shape, memory_shape) -> None:
        self.of_query.build(query_shape)
        self.of_key.build(memory_shape)
        self.score.build((None, None, None, self.units))
        super().build(query_shape)

    def call(self, query, memory, mask=None):
        asked = self.of_query(query)[:, :, None]  # (batch, asked, 1, units)
        offered = self.of_key(memory)[:, None]  # (batch, 1, places, units)
        scores = self.score(keras.ops.tanh(asked + offered))[..., 0]  # (batch, asked, places)
        return look(scores, memory, mask)

    def compute_mask(self, *inputs, **kwargs):
        return None

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("advanced_rnns")
class LuongAttention(keras.layers.Layer):
    """Multiplicative attention (Luong, Pham and Manning 2015, equation 8).

    Args:
        kind: the score of a place: "dot" q k; "general" q W k; "concat" v^T tanh(W [q; k]).
        units: width of the hidden layer of "concat"; that of the query when not given.

    Call:
        as of :class:`BahdanauAttention`; "dot" needs queries as wide as the memory.

    Raises:
        ValueError: an unknown kind; "dot" with a query of another width.
    """

    def __init__(self, kind: str = "general", units: int | None = None, **kwargs) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}.")
        super().__init__(**kwargs)
        self.kind, self.units = kind, units
        self.supports_masking = True

    def build(self, query_shape, memory_shape) -> None:
        query, memory = query_shape[-1], memory_shape[-1]
        if self.kind == "dot" and query != memory:
            raise ValueError(f"dot needs a query as wide as the memory; got {query} and {memory}. Use general.")
        if self.kind == "general":
            self.kernel = self.add_weight(shape=(query, memory), name="kernel")
        if self.kind == "concat":
            units = self.units or query
            self.kernel = self.add_weight(shape=(query + memory, units), name="kernel")
            self.vector = self.add_weight(shape=(units,), initializer="random_normal", name="vector")
        super().build(query_shape)

    def call(self, query, memory, mask=None):
        if self.kind == "concat":
            width = query.shape[-1]
            asked = keras.ops.matmul(query, self.kernel[:width])[:, :, None]  # (batch, asked, 1, units)
            offered = keras.ops.matmul(memory, self.kernel[width:])[:, None]  # (batch, 1, places, units)
            scores = keras.ops.sum(self.vector * keras.ops.tanh(asked + offered), axis=-1)  # (batch, asked, places)
            return look(scores, memory, mask)
        asked = query if self.kind == "dot" else keras.ops.matmul(query, self.kernel)
        return look(keras.ops.matmul(asked, keras.ops.swapaxes(memory, 1, 2)), memory, mask)

    def compute_mask(self, *inputs, **kwargs):
        return None

    def get_config(self) -> dict:
        return {**super().get_config(), "kind": self.kind, "units": self.units}


@keras.saving.register_keras_serializable("advanced_rnns")
class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention with several heads (Vaswani et al. 2017, section 3.2).

    Each head has its own projections of query, key and value to ``width``; its scores are q k / sqrt(width); what the
    heads read is joined by one more projection.

    Args:
        heads, width: how many, and the width of each.
        causal: no place later than the asking one may be looked at; queries and memory are then one sequence.
        scaled: divide the scores by the root of the width.

    Call:
        ``(query, memory, mask=None)``, shapes as of :class:`BahdanauAttention`. Returns (batch, asked, width of the
        query), and the weights, (batch, heads, asked, places).
    """

    def __init__(self, heads: int, width: int, causal: bool = False, scaled: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.heads, self.width, self.causal, self.scaled = heads, width, causal, scaled
        self.supports_masking = True

    def build(self, query_shape, memory_shape) -> None:
        inner = self.heads * self.width
        for name, (rows, columns) in {
            "query": (query_shape[-1], inner),
            "key": (memory_shape[-1], inner),
            "value": (memory_shape[-1], inner),
            "output": (inner, query_shape[-1]),
        }.items():
            setattr(self, f"{name}_kernel", self.add_weight(shape=(rows, columns), name=f"{name}_kernel"))
            setattr(self, f"{name}_bias", self.add_weight(shape=(columns,), initializer="zeros", name=f"{name}_bias"))
        super().build(query_shape)

    def call(self, query, memory, mask=None):
        q = self._split(keras.ops.matmul(query, self.query_kernel) + self.query_bias)  # (batch, heads, asked, width)
        k = self._split(keras.ops.matmul(memory, self.key_kernel) + self.key_bias)  # (batch, heads, places, width)
        v = self._split(keras.ops.matmul(memory, self.value_kernel) + self.value_bias)
        scores = keras.ops.matmul(q, keras.ops.swapaxes(k, 2, 3))  # (batch, heads, asked, places)
        if self.scaled:
            scores = scores / self.width**0.5
        if self.causal:
            asked, places = keras.ops.shape(scores)[2:]
            past = keras.ops.arange(places)[None] <= keras.ops.arange(asked)[:, None]
            scores = keras.ops.where(past, scores, NEVER)
        read, weights = look(scores, v, None if mask is None else mask[:, None])
        read = keras.ops.transpose(read, (0, 2, 1, 3))  # (batch, asked, heads, width)
        read = keras.ops.reshape(read, (*keras.ops.shape(read)[:2], self.heads * self.width))
        return keras.ops.matmul(read, self.output_kernel) + self.output_bias, weights

    def _split(self, x):
        """(batch, time, heads * width) to (batch, heads, time, width)."""
        batch, time = keras.ops.shape(x)[:2]
        return keras.ops.transpose(keras.ops.reshape(x, (batch, time, self.heads, self.width)), (0, 2, 1, 3))

    def compute_mask(self, *inputs, **kwargs):
        return None

    def get_config(self) -> dict:
        own = {"heads": self.heads, "width": self.width, "causal": self.causal, "scaled": self.scaled}
        return {**super().get_config(), **own}


def look(scores, values, mask=None):
    """Softmax of the scores, and the weighted mean of the values.

    Args:
        scores: shape (..., asked, places).
        values: shape (..., places, width).
        mask: shape (..., places), True where something may be looked at.

    Returns:
        What was read, (..., asked, width), and the weights, (..., asked, places).
    """
    if mask is not None:
        scores = keras.ops.where(keras.ops.cast(mask, "bool")[..., None, :], scores, NEVER)
    weights = keras.ops.softmax(scores, axis=-1)
    return keras.ops.matmul(weights, values), weights


def position_codes(length: int, width: int) -> np.ndarray:
    """A code for every place: sines and cosines of wavelengths from 2 pi to 10,000 * 2 pi (Vaswani et al., 3.5).

    Returns:
        Shape (length, width), float32; even columns are sines, odd ones cosines.

    Raises:
        ValueError: a length below 1, or a width that is odd or below 2.
    """
    if length < 1 or width < 2 or width % 2:
        raise ValueError(f"length is {length} and width {width}; expected at least 1, and an even width.")
    angle = np.arange(length)[:, None] / 10_000 ** (np.arange(0, width, 2) / width)  # (length, width / 2)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(length, width).astype(np.float32)
