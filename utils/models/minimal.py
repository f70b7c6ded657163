"""minGRU and minLSTM: gates that look at the input only, so that all time steps can be computed at once."""

from utils.runtime import keras

CELLS = ("minGRU", "minLSTM")


@keras.saving.register_keras_serializable("advanced_rnns")
class MinimalRNN(keras.layers.Layer):
    """A minGRU or minLSTM layer (Feng et al. 2024, "Were RNNs all we needed?", sections 3.1 and 3.2).

    Taught in lesson 10.

    Both are h_t = keep_t * h_{t-1} + write_t * candidate_t with a candidate W x_t, and differ in the gates:

    - minGRU: write = sigmoid(W_z x_t), keep = 1 - write;
    - minLSTM: f = sigmoid(W_f x_t), i = sigmoid(W_i x_t), keep = f / (f + i), write = i / (f + i).

    No gate sees h_{t-1}. The steps are therefore a chain of affine maps, which :func:`all_states` joins in a number of
    rounds that grows with the logarithm of the length. The candidate is linear, as in the paper's section 3; its
    appendix keeps it positive instead, to compute with logarithms, which lengths of a few hundred do not need.

    Args:
        units: width of the state.
        cell: "minGRU" or "minLSTM".
        return_sequences: give every state, shape (batch, time, units), or the last one, (batch, units).
        keep_bias: b, so that keep begins near sigmoid(b), half at 0. A minGRU takes it as the bias of 1 - z; a minLSTM
            as the bias of f and, negated, of i: with f alone, keep could not begin above 2/3.

    Raises:
        ValueError: an unknown cell; when called, sequences of unknown length, for which no rounds can be planned.
    """

    def __init__(
        self, units: int, cell: str = "minGRU", return_sequences: bool = False, keep_bias: float = 0, **kwargs
    ):
        super().__init__(**kwargs)
        if cell not in CELLS:
            raise ValueError(f"Unknown cell {cell!r}; expected one of {', '.join(CELLS)}.")
        self.units, self.cell, self.return_sequences, self.keep_bias = units, cell, return_sequences, keep_bias

    def build(self, input_shape) -> None:
        gates = 2 if self.cell == "minLSTM" else 1
        self.kernel = self.add_weight(shape=(input_shape[-1], (gates + 1) * self.units), name="kernel")
        self.candidate_bias = self.add_weight(shape=(self.units,), initializer="zeros", name="candidate_bias")
        start = keras.initializers.Constant(self.keep_bias)
        self.keep_bias_weight = self.add_weight(shape=(self.units,), initializer=start, name="keep_bias")
        if self.cell == "minLSTM":
            start = keras.initializers.Constant(-self.keep_bias)
            self.input_bias = self.add_weight(shape=(self.units,), initializer=start, name="input_bias")

    def call(self, inputs):
        if inputs.shape[1] is None:
            raise ValueError(f"A {self.cell} must know the number of time steps: give the model a sequence_length.")
        keep, new = self.chain(inputs)  # (batch, time, units) each
        states = all_states(keep, new)
        return states if self.return_sequences else states[:, -1]

    def chain(self, inputs) -> tuple:
        """The affine maps h -> keep * h + new of all steps, two tensors of shape (batch, time, units)."""
        parts = keras.ops.split(inputs @ self.kernel, 3 if self.cell == "minLSTM" else 2, axis=-1)
        candidate, kept = parts[0] + self.candidate_bias, parts[1] + self.keep_bias_weight
        if self.cell == "minGRU":
            keep = keras.ops.sigmoid(kept)
        else:
            f, i = keras.ops.sigmoid(kept), keras.ops.sigmoid(parts[2] + self.input_bias)
            keep = f / (f + i)
        return keep, (1 - keep) * candidate

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape[:2], self.units) if self.return_sequences else (input_shape[0], self.units)

    def get_config(self) -> dict:
        names = ("units", "cell", "return_sequences", "keep_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def join(first: tuple, second: tuple) -> tuple:
    """Two affine maps h -> keep * h + new, one after the other, as one.

    Taught in lesson 10.
    """
    (keep_1, new_1), (keep_2, new_2) = first, second
    return keep_1 * keep_2, keep_2 * new_1 + new_2


def all_states(keep, new):
    """The states h_t = keep_t * h_{t-1} + new_t of all steps, from h_0 = 0, without going step by step.

    Neighbours are joined into pairs and the states after each pair found in the same way; one step more from there
    gives the states in between. That makes about log2(time) rounds up and as many back (Blelloch 1990), and of all
    rounds together about twice the work of the loop.

    Args:
        keep, new: tensors of shape (batch, time, units) with a known number of time steps.

    Returns:
        The states, of the same shape.
    """
    steps, units = new.shape[1:]
    if steps == 1:
        return new
    pairs = (steps + 1) // 2
    gap = [[0, 0], [0, 2 * pairs - steps], [0, 0]]  # an odd number of steps gets one more, cut off again at the end
    keep, new = (keras.ops.reshape(keras.ops.pad(part, gap), (-1, pairs, 2, units)) for part in (keep, new))
    first, second = ((keep[:, :, i], new[:, :, i]) for i in range(2))  # (batch, pairs, units) each
    after = all_states(*join(first, second))  # states after the second of each pair
    before = keras.ops.pad(after[:, :-1], [[0, 0], [1, 0], [0, 0]])  # and before its first
    between = first[0] * before + first[1]
    states = keras.ops.stack([between, after], axis=2)  # (batch, pairs, 2, units)
    return keras.ops.reshape(states, (-1, 2 * pairs, units))[:, :steps]
