"""Starting values of the bias: they decide how long a gated cell remembers before it has learned anything."""

import random

import numpy as np

from utils.runtime import keras


@keras.saving.register_keras_serializable("advanced_rnns")
class ForgetBias(keras.initializers.Initializer):
    """Bias of an LSTM whose forget gates all start at sigmoid(value); zero for the other gates.

    Taught in lesson 01, as ``share_left``.

    A cell then keeps ``sigmoid(value) ** k`` of what it held k steps ago. Gers et al. (2000) proposed it; Jozefowicz et
    al. (2015) found that ``value=1``, which is Keras' default, closes most of the gap between LSTM and GRU.

    Args:
        value: starting bias of the forget gates; Keras starts at 1, PyTorch near 0.
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, shape, dtype=None, **kwargs):
        bias = np.zeros(shape, "float32")
        units = _units(shape, gates=4, layer="an LSTM's bias, shape (4 units,)")
        bias[units : 2 * units] = self.value  # Keras' order: input gate, forget gate, candidate, output gate
        return keras.ops.convert_to_tensor(bias, dtype=dtype)

    def get_config(self) -> dict:
        return {"value": self.value}


@keras.saving.register_keras_serializable("advanced_rnns")
class Chrono(keras.initializers.Initializer):
    """Chrono initialisation of Tallec and Ollivier (2018), section 2: units that keep for 1 to ``longest`` steps.

    Taught in lesson 02, as ``chrono_bias``.

    LSTM: forget bias ln(u) with u uniform on [1, longest - 1], input bias -ln(u); the time constant of a unit,
    -1 / ln sigmoid(bias), is then about u + 1/2. GRU in Keras' convention, where the
    update gate z keeps: its bias is ln(u).

    Args:
        longest: the longest time, in steps, over which something is to be remembered; more than 2.
        seed: for the draw of u; follows ``keras.utils.set_random_seed`` when not given.

    Raises:
        ValueError: ``longest`` is not above 2.
    """

    def __init__(self, longest: float, seed: int | None = None) -> None:
        if longest <= 2:
            raise ValueError(f"longest is {longest}; expected more than 2 steps.")
        self.longest = longest
        self.seed = random.randint(1, 10**9) if seed is None else seed  # as Keras draws its own

    def __call__(self, shape, dtype=None, **kwargs):
        bias = np.zeros(shape, "float32")
        gru = len(shape) == 2  # Keras' GRU has one bias for inputs and one for states
        units = _units(shape, gates=3 if gru else 4, layer="the bias of an LSTM (4 units,) or of a GRU (2, 3 units)")
        times = np.log(np.random.default_rng(self.seed).uniform(1, self.longest - 1, units))
        if gru:
            bias[0, :units] = times
        else:
            bias[:units] = -times
            bias[units : 2 * units] = times
        return keras.ops.convert_to_tensor(bias, dtype=dtype)

    def get_config(self) -> dict:
        return {"longest": self.longest, "seed": self.seed}


def _units(shape, gates: int, layer: str) -> int:
    if len(shape) not in (1, 2) or shape[-1] % gates:
        raise ValueError(f"This initializer was asked for shape {tuple(shape)}; expected {layer}.")
    return shape[-1] // gates
