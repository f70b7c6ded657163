"""What reaches back through time: the gradient per lag of a Keras recurrent layer, its gates, its spectral radius."""

import numpy as np

from utils.runtime import keras, tf
from utils.training.compiled import describe
from utils.training.fingerprint import CannotTell

CELLS = ("SimpleRNN", "LSTM", "GRU")


def gradient_per_lag(model: "keras.Model", x: np.ndarray, *, gates_held: bool = False, seed: int = 0) -> np.ndarray:
    """How strongly the last output of a recurrent layer depends on the layer's state k steps before.

    Taught in lesson 02.

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
    n, _, features = inputs.shape
    v = np.random.default_rng(seed).normal(size=(n, layer.units))
    v = tf.constant(v / np.linalg.norm(v, axis=1, keepdims=True), inputs.dtype)
    states = [tf.zeros((n, layer.units), inputs.dtype) for _ in tf.nest.flatten(layer.cell.state_size)]
    weights = [[variable.value for variable in group] for group in _variables(layer.cell)]
    gradients = _compiled_gradients(layer.cell, features, gates_held)(*weights, inputs, states, v)
    norms = np.linalg.norm(np.concatenate([g.numpy() for g in gradients], axis=2).astype(float), axis=2)
    return norms[::-1].T  # from (time, sequences), the first step first, to (sequences, lag)


_compiled = {}


def _compiled_gradients(cell, features: int, gates_held: bool):
    """``(weights..., inputs, states, v) -> gradients`` of shape (time, sequences, units), traced once per kind of cell.

    A perturbation, zero in value, is added to the state at every step; the gradient in it is the gradient in the state.
    """
    try:
        key = (describe(cell)[0], features, gates_held)
    except CannotTell:  # an activation that hides what it does: traced for this once
        key = None
    if key in _compiled:
        return _compiled[key]

    def gradients(trainable, other, inputs, states, v):
        steps = tf.shape(inputs)[1]
        x = tf.TensorArray(inputs.dtype, steps).unstack(tf.transpose(inputs, [1, 0, 2]))
        nudges = [tf.zeros(tf.concat([[steps], tf.shape(state)], axis=0), state.dtype) for state in states]
        with tf.GradientTape() as tape:
            tape.watch(nudges)
            arrays = [tf.TensorArray(nudge.dtype, steps).unstack(nudge) for nudge in nudges]

            def step(t, *states):
                states = [tf.stop_gradient(states[0]), states[1]] if gates_held else list(states)
                (_, states), _ = cell.stateless_call(trainable, other, x.read(t), states)
                return t + 1, *[state + array.read(t) for state, array in zip(states, arrays, strict=True)]

            _, *last = tf.while_loop(lambda t, *_: t < steps, step, [tf.constant(0), *states])
            target = tf.reduce_sum(v * last[1 if gates_held else 0])
        return tape.gradient(target, nudges, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    dtype = cell.compute_dtype
    state = tf.TensorSpec([None, cell.units], dtype)
    groups = [[tf.TensorSpec(variable.shape, variable.dtype) for variable in group] for group in _variables(cell)]
    inputs = tf.TensorSpec([None, None, features], dtype)
    states = [state for _ in tf.nest.flatten(cell.state_size)]
    traced = tf.function(gradients).get_concrete_function(*groups, inputs, states, state)
    if key is not None:
        _compiled[key] = traced
    return traced


def _variables(cell) -> tuple[list, list]:
    return cell.trainable_variables, cell.non_trainable_variables


def gate_activity(model: "keras.Model", x: np.ndarray) -> dict[str, np.ndarray]:
    """The gates of the model's first LSTM or GRU layer at every step.

    Taught in lesson 07.

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

    Taught in lesson 02.

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
