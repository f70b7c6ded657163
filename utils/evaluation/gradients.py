"""What reaches back through time: the gradient per lag of a Keras recurrent layer, its gates, its spectral radius."""

import numpy as np

from utils.runtime import keras, tf

CELLS = ("SimpleRNN", "LSTM", "GRU")


def gradient_per_lag(model: "keras.Model", x: np.ndarray, *, gates_held: bool = False, seed: int = 0) -> np.ndarray:
    """How strongly the last output of a recurrent layer depends on the layer's state k steps before.

    A random direction ``v`` is drawn for every sequence, and ``|| d(v . h_T) / d s_(T-k) ||`` is measured for every k,
    where the state s is h, and for an LSTM h and c together: the product of Jacobians of Pascanu, Mikolov and Bengio
    (2013), equation 5, as TensorFlow's tape computes it.

    Args:
        model: a Keras model with a SimpleRNN, LSTM or GRU layer; the first one is probed. Layers before it, such as an
            embedding, are applied first.
        x: inputs of the model, shape (sequences, time, ...).
        gates_held: for an LSTM, measure ``d(v . c_T) / d c_(T-k)`` with the gates held as they are: what the forget
            gates alone let through.
        seed: for the directions.

    Returns:
        Array of shape (sequences, time): column k holds the norm at lag k; column 0 is 1.

    Raises:
        ValueError: no recurrent layer, or ``gates_held`` for a cell that is not an LSTM.
    """
    layer, inputs = _inputs_of_recurrent_layer(model, x)
    if gates_held and not isinstance(layer, keras.layers.LSTM):
        raise ValueError(f"gates_held asks for a cell state; a {type(layer).__name__} has none. Leave it out.")
    n, steps = inputs.shape[:2]
    v = np.random.default_rng(seed).normal(size=(n, layer.units))
    v = tf.constant(v / np.linalg.norm(v, axis=1, keepdims=True), inputs.dtype)
    states = layer.cell.get_initial_state(batch_size=n)
    history = []
    with tf.GradientTape() as tape:
        for t in range(steps):
            if gates_held:
                states = [tf.stop_gradient(states[0]), states[1]]
            _, states = layer.cell(inputs[:, t], states)
            states = [tf.identity(state) for state in states]
            tape.watch(states)
            history.append(states)
        target = tf.reduce_sum(v * history[-1][1 if gates_held else 0])
    gradients = tape.gradient(target, history, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    norms = [np.linalg.norm(np.concatenate(parts, axis=1).astype(float), axis=1) for parts in gradients]
    return np.stack(norms[::-1], axis=1)


def gate_activity(model: "keras.Model", x: np.ndarray) -> dict[str, np.ndarray]:
    """The gates of the model's first LSTM or GRU layer at every step.

    Args:
        model: a Keras model with an LSTM or GRU layer.
        x: inputs of the model, shape (sequences, time, ...).

    Returns:
        ``{"input": ..., "forget": ..., "output": ...}`` for an LSTM, ``{"update": ..., "reset": ...}`` for a GRU; each
        of shape (sequences, time, units), between 0 and 1. A forget gate of 1 keeps, and so does Keras' update gate.

    Raises:
        ValueError: no layer with gates.
    """
    layer, inputs = _inputs_of_recurrent_layer(model, x)
    if isinstance(layer, keras.layers.SimpleRNN):
        raise ValueError("A SimpleRNN has no gates; expected an LSTM or a GRU.")
    cell, units = layer.cell, layer.units
    kernel, recurrent_kernel, *bias = [w.astype("float64") for w in layer.get_weights()]
    states = cell.get_initial_state(batch_size=inputs.shape[0])
    names = ("input", "forget", None, "output") if isinstance(layer, keras.layers.LSTM) else ("update", "reset")
    activity = {name: [] for name in names if name}
    bias_sum = np.sum(np.atleast_2d(bias[0]), axis=0) if bias else 0.0  # both biases of a GRU add up in its gates
    for t in range(inputs.shape[1]):
        a = inputs[:, t].numpy() @ kernel + np.asarray(states[0]) @ recurrent_kernel + bias_sum
        for i, name in enumerate(names):
            if name:
                activity[name].append(1 / (1 + np.exp(-a[:, i * units : (i + 1) * units])))
        _, states = cell(inputs[:, t], states)
    return {name: np.stack(values, axis=1) for name, values in activity.items()}


def spectral_radius(matrix: np.ndarray) -> float:
    """The largest absolute eigenvalue of a square matrix: the factor by which its powers grow in the long run.

    Raises:
        ValueError: the matrix is not square.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"The matrix has shape {matrix.shape}; expected a square one, such as a recurrent kernel.")
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _inputs_of_recurrent_layer(model, x):
    """The first recurrent layer, and what the layers before it make of ``x``."""
    before = []
    for layer in model.layers:
        if type(layer).__name__ in CELLS:
            inputs = tf.convert_to_tensor(x)
            for earlier in before:
                inputs = earlier(inputs)
            if not inputs.dtype.is_floating:
                inputs = tf.cast(inputs, layer.compute_dtype)
            return layer, inputs if before else tf.cast(inputs, layer.compute_dtype)
        before.append(layer)
    kinds = ", ".join(type(layer).__name__ for layer in model.layers)
    raise ValueError(f"The model has no SimpleRNN, LSTM or GRU layer to probe; its layers are: {kinds or 'none'}.")
