"""RNN, LSTM and GRU layers in NumPy, forward and backward through time: the reference that Keras is held against.

Weights have the layout of Keras, so ``layer.get_weights()`` can be passed on as it is: ``kernel`` of shape (features,
gates * units), ``recurrent_kernel`` (units, gates * units) and ``bias``, with the gates in Keras' order: input, forget,
candidate, output; update, reset, candidate. Each forward function returns the states and what its backward function
needs.
"""

from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """Derivatives of a loss, each of the shape of what it belongs to."""

    x: np.ndarray  # (batch, time, features)
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)), written with tanh so that no argument overflows.

    Taught in lesson 01.
    """
    return 0.5 * (1 + np.tanh(0.5 * a))


def rnn_forward(x, kernel, recurrent_kernel, bias, h0=None):
    """Vanilla RNN: h_t = tanh(x_t W + h_{t-1} U + b), Elman (1990).

    Taught in lesson 00, as ``forward``.

    Args:
        x: inputs, shape (batch, time, features).
        kernel, recurrent_kernel, bias: shapes (features, units), (units, units), (units,).
        h0: state before the first step, shape (batch, units); zeros when not given.

    Returns:
        ``(h, cache)``: hidden states of shape (batch, time, units), and what :func:`rnn_backward` needs.

    Raises:
        ValueError: shapes that do not fit together.
    """
    units = _check_shapes(x, kernel, recurrent_kernel, bias, gates=1)
    h = np.zeros((x.shape[0], x.shape[1] + 1, units), x.dtype)  # h[:, t] is the state before step t
    if h0 is not None:
        h[:, 0] = h0
    for t in range(x.shape[1]):
        h[:, t + 1] = np.tanh(x[:, t] @ kernel + h[:, t] @ recurrent_kernel + bias)
    return h[:, 1:], (x, kernel, recurrent_kernel, bias, h)


def rnn_backward(dh, cache) -> Gradients:
    """Backpropagation through time (Werbos 1990) for :func:`rnn_forward`.

    Taught in lesson 00, as ``backward``.

    Args:
        dh: derivative of the loss with respect to every hidden state, shape (batch, time, units).
        cache: from the forward pass.
    """
    x, kernel, recurrent_kernel, bias, h = cache
    dx, d_kernel, d_recurrent, d_bias = map(np.zeros_like, (x, kernel, recurrent_kernel, bias))
    later = np.zeros_like(h[:, 0])  # what the steps after t say about h_t
    for t in reversed(range(x.shape[1])):
        da = (dh[:, t] + later) * (1 - h[:, t + 1] ** 2)  # (batch, units), through tanh
        d_kernel += x[:, t].T @ da
        d_recurrent += h[:, t].T @ da
        d_bias += da.sum(axis=0)
        dx[:, t] = da @ kernel.T
        later = da @ recurrent_kernel.T
    return Gradients(dx, d_kernel, d_recurrent, d_bias)


def lstm_forward(x, kernel, recurrent_kernel, bias, h0=None, c0=None):
    """LSTM with a forget gate: c_t = f * c_{t-1} + i * candidate, h_t = o * tanh(c_t), Gers et al. (2000).

    Taught in lesson 01, as ``lstm_step``.

    Args:
        x: inputs, shape (batch, time, features).
        kernel, recurrent_kernel, bias: shapes (features, 4 units), (units, 4 units), (4 units,).
        h0, c0: states before the first step, shape (batch, units); zeros when not given.

    Returns:
        ``(h, c, cache)``: hidden and cell states of shape (batch, time, units), and what :func:`lstm_backward` needs.

    Raises:
        ValueError: shapes that do not fit together.
    """
    units = _check_shapes(x, kernel, recurrent_kernel, bias, gates=4)
    h = np.zeros((x.shape[0], x.shape[1] + 1, units), x.dtype)
    c = np.zeros_like(h)
    if h0 is not None:
        h[:, 0] = h0
    if c0 is not None:
        c[:, 0] = c0
    activations = []
    for t in range(x.shape[1]):
        a = x[:, t] @ kernel + h[:, t] @ recurrent_kernel + bias  # (batch, 4 units)
        i, f, candidate, o = np.split(a, 4, axis=1)
        i, f, candidate, o = sigmoid(i), sigmoid(f), np.tanh(candidate), sigmoid(o)
        c[:, t + 1] = f * c[:, t] + i * candidate
        h[:, t + 1] = o * np.tanh(c[:, t + 1])
        activations.append((i, f, candidate, o))
    return h[:, 1:], c[:, 1:], (x, kernel, recurrent_kernel, bias, h, c, activations)


def lstm_backward(dh, cache) -> Gradients:
    """Backpropagation through time for :func:`lstm_forward`; ``dh`` as in :func:`rnn_backward`."""
    x, kernel, recurrent_kernel, bias, h, c, activations = cache
    dx, d_kernel, d_recurrent, d_bias = map(np.zeros_like, (x, kernel, recurrent_kernel, bias))
    later_h, later_c = np.zeros_like(h[:, 0]), np.zeros_like(c[:, 0])
    for t in reversed(range(x.shape[1])):
        i, f, candidate, o = activations[t]
        tanh_c = np.tanh(c[:, t + 1])
        d_h = dh[:, t] + later_h
        d_c = d_h * o * (1 - tanh_c**2) + later_c
        da = np.concatenate(
            [
                d_c * candidate * i * (1 - i),
                d_c * c[:, t] * f * (1 - f),
                d_c * i * (1 - candidate**2),
                d_h * tanh_c * o * (1 - o),
            ],
            axis=1,
        )
        d_kernel += x[:, t].T @ da
        d_recurrent += h[:, t].T @ da
        d_bias += da.sum(axis=0)
        dx[:, t] = da @ kernel.T
        later_h, later_c = da @ recurrent_kernel.T, d_c * f
    return Gradients(dx, d_kernel, d_recurrent, d_bias)


def gru_forward(x, kernel, recurrent_kernel, bias, h0=None, reset_after: bool = True):
    """GRU in Keras' convention: h_t = z * h_{t-1} + (1 - z) * candidate, so z near 1 keeps; Cho et al. (2014).

    Taught in lesson 01, as ``gru_step``.

    Args:
        x: inputs, shape (batch, time, features).
        kernel, recurrent_kernel: shapes (features, 3 units), (units, 3 units).
        bias: shape (2, 3 units), for inputs and for states, with ``reset_after``; (3 units,) without.
        h0: state before the first step, shape (batch, units); zeros when not given.
        reset_after: whether the reset gate acts on h U + b, as in Keras' default, cuDNN and version 1 of the paper
            (arXiv:1406.1078), or on h, as in version 3.

    Returns:
        ``(h, cache)``: hidden states of shape (batch, time, units), and what :func:`gru_backward` needs.

    Raises:
        ValueError: shapes that do not fit together.
    """
    units = _check_shapes(x, kernel, recurrent_kernel, bias, gates=3, biases=2 if reset_after else 1)
    bias_x, bias_h = bias if reset_after else (bias, np.zeros_like(bias))
    h = np.zeros((x.shape[0], x.shape[1] + 1, units), x.dtype)
    if h0 is not None:
        h[:, 0] = h0
    activations = []
    for t in range(x.shape[1]):
        xz, xr, xh = np.split(x[:, t] @ kernel + bias_x, 3, axis=1)
        hz, hr, hh = np.split(h[:, t] @ recurrent_kernel + bias_h, 3, axis=1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        if not reset_after:
            hh = (r * h[:, t]) @ recurrent_kernel[:, 2 * units :]
        candidate = np.tanh(xh + (r * hh if reset_after else hh))
        h[:, t + 1] = z * h[:, t] + (1 - z) * candidate
        activations.append((z, r, candidate, hh))
    return h[:, 1:], (x, kernel, recurrent_kernel, bias, h, activations, reset_after)


def gru_backward(dh, cache) -> Gradients:
    """Backpropagation through time for :func:`gru_forward`; ``dh`` as in :func:`rnn_backward`."""
    x, kernel, recurrent_kernel, bias, h, activations, reset_after = cache
    units = h.shape[2]
    dx, d_kernel, d_recurrent, d_bias = map(np.zeros_like, (x, kernel, recurrent_kernel, bias))
    later = np.zeros_like(h[:, 0])
    for t in reversed(range(x.shape[1])):
        z, r, candidate, hh = activations[t]
        d_h = dh[:, t] + later
        d_z = d_h * (h[:, t] - candidate) * z * (1 - z)
        d_candidate = d_h * (1 - z) * (1 - candidate**2)
        to_h = recurrent_kernel[:, 2 * units :]
        if reset_after:
            d_r = d_candidate * hh * r * (1 - r)
            from_state = np.concatenate([d_z, d_r, d_candidate * r], axis=1)  # into h U + b
            d_recurrent += h[:, t].T @ from_state
            later = d_h * z + from_state @ recurrent_kernel.T
        else:
            d_reset_h = d_candidate @ to_h.T  # into r * h
            d_r = d_reset_h * h[:, t] * r * (1 - r)
            d_recurrent[:, : 2 * units] += h[:, t].T @ np.concatenate([d_z, d_r], axis=1)
            d_recurrent[:, 2 * units :] += (r * h[:, t]).T @ d_candidate
            later = d_h * z + d_reset_h * r
            later += np.concatenate([d_z, d_r], axis=1) @ recurrent_kernel[:, : 2 * units].T
        from_input = np.concatenate([d_z, d_r, d_candidate], axis=1)  # into x W + b
        d_kernel += x[:, t].T @ from_input
        dx[:, t] = from_input @ kernel.T
        d_bias += np.stack([from_input.sum(axis=0), from_state.sum(axis=0)]) if reset_after else from_input.sum(axis=0)
    return Gradients(dx, d_kernel, d_recurrent, d_bias)


def _check_shapes(x, kernel, recurrent_kernel, bias, gates: int, biases: int = 1) -> int:
    """The number of units, if everything fits."""
    units = recurrent_kernel.shape[0]
    if x.ndim != 3:
        raise ValueError(f"x has shape {x.shape}; expected (batch, time, features).")
    expected = {
        "kernel": (kernel, (x.shape[2], gates * units)),
        "recurrent_kernel": (recurrent_kernel, (units, gates * units)),
        "bias": (bias, (gates * units,) if biases == 1 else (biases, gates * units)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(
                f"{name} has shape {array.shape}; expected {shape} for {x.shape[2]} features, {units} units and "
                f"{gates} gate blocks."
            )
    return units
