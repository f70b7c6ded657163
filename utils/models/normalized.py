"""An LSTM cell that normalises what enters its gates: over its units, or over the batch with statistics per step."""

from utils.runtime import keras, tf

NORMALIZATIONS = ("layer", "batch")


@keras.saving.register_keras_serializable("advanced_rnns")
class NormalizedLSTMCell(keras.layers.Layer):
    """One step of a normalised LSTM, for ``keras.layers.RNN``.

    gates = N(x W; gain_x) + N(h U; gain_h) + b, and h' = output gate * tanh(N(c; gain_c) + b_c), where N subtracts a
    mean, divides by a standard deviation and multiplies by a learned gain.

    - ``"layer"``: mean and deviation over the units of one sequence (Ba, Kiros and Hinton 2016, appendix).
    - ``"batch"``: over the sequences of the batch, of each unit, at this very step. What is used after training are
      moving averages, kept for each step separately (Cooijmans et al. 2017, section 3). A step beyond ``steps`` takes
      those of the last. ``keras.layers.RNN`` takes the first step twice, once to learn its shapes, so that the averages
      of that step move twice as fast.

    Args:
        units: width of the state.
        normalization: one of :data:`NORMALIZATIONS`.
        steps: time steps for which statistics are kept; only for "batch".
        momentum: share of the old value in a moving average.
        epsilon: added to variances.

    Raises:
        ValueError: an unknown normalization, or "batch" without ``steps``.
    """

    def __init__(self, units: int, normalization: str, steps: int | None = None, momentum=0.9, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"Unknown normalization {normalization!r}; expected one of {', '.join(NORMALIZATIONS)}.")
        if normalization == "batch" and not steps:
            raise ValueError("Batch normalization per step needs to know the number of steps: give sequence_length.")
        self.units, self.normalization, self.steps = units, normalization, steps
        self.momentum, self.epsilon = momentum, epsilon
        self.state_size = [units, units, 1]  # h, c and the number of the step
        self.output_size = units

    def build(self, input_shape) -> None:
        units = self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], 4 * units), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(units, 4 * units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(4 * units,), initializer="zeros", name="bias")
        # Keras' order of the gates (input, forget, candidate, output) and its forget bias of 1
        self.bias.assign(
            keras.ops.concatenate([keras.ops.zeros(units), keras.ops.ones(units), keras.ops.zeros(2 * units)])
        )
        self.cell_bias = self.add_weight(shape=(units,), initializer="zeros", name="cell_bias")
        # Cooijmans et al. start the gain at 0.1: with 1, the tanh saturates at once and gradients vanish.
        start = keras.initializers.Constant(1.0 if self.normalization == "layer" else 0.1)
        self.gains, self.means, self.variances = {}, {}, {}
        for part, width in {"x": 4 * units, "h": 4 * units, "c": units}.items():
            self.gains[part] = self.add_weight(shape=(width,), initializer=start, name=f"gain_{part}")
            if self.normalization == "batch":
                self.means[part] = self.add_weight(
                    shape=(self.steps, width), initializer="zeros", trainable=False, name=f"mean_{part}"
                )
                self.variances[part] = self.add_weight(
                    shape=(self.steps, width), initializer="ones", trainable=False, name=f"variance_{part}"
                )

    def call(self, inputs, states, training=False):
        h, c, step = states
        gates = self._normalize("x", inputs @ self.kernel, step, training)
        gates += self._normalize("h", h @ self.recurrent_kernel, step, training) + self.bias
        i, f, candidate, o = keras.ops.split(gates, 4, axis=1)
        c = keras.ops.sigmoid(f) * c + keras.ops.sigmoid(i) * keras.ops.tanh(candidate)
        h = keras.ops.sigmoid(o) * keras.ops.tanh(self._normalize("c", c, step, training) + self.cell_bias)
        return h, [h, c, step + 1]

    def _normalize(self, part: str, values, step, training: bool):
        """``values`` of shape (batch, width) with mean 0 and deviation ``gain``, over units or over the batch."""
        if self.normalization == "layer":
            mean, variance = keras.ops.moments(values, axes=[1], keepdims=True)
        else:
            means, variances = self.means[part], self.variances[part]
            row = keras.ops.minimum(keras.ops.cast(step[0, 0], "int32"), means.shape[0] - 1)
            if training:
                mean, variance = keras.ops.moments(values, axes=[0])
                for kept, now in ((means, mean), (variances, variance)):
                    share = (1 - self.momentum) * keras.ops.one_hot(row, means.shape[0])[:, None]
                    kept.assign(kept + share * (tf.stop_gradient(now) - kept))
            else:
                mean, variance = means[row], variances[row]
        return self.gains[part] * (values - mean) / keras.ops.sqrt(variance + self.epsilon)

    def get_config(self) -> dict:
        names = ("units", "normalization", "steps", "momentum", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
