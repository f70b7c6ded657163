"""The fast path: train a Keras model with a compiled step that later models of the same architecture reuse."""

import collections
import contextlib
import functools
import json
import random
from collections.abc import Iterator

import numpy as np

from utils import runtime
from utils.runtime import keras, tf

_compiled: dict[str, "Compiled"] = {}


def fit(
    model: "keras.Model",
    data: tuple,
    *,
    epochs: int = 1,
    batch_size: int = 64,
    loss: "str | keras.losses.Loss" = "mean_squared_error",
    optimizer: "str | keras.optimizers.Optimizer" = "adam",
    validation: tuple | None = None,
    keep_best: bool = False,
    until: float | None = None,
    shuffle: bool = True,
) -> dict[str, list[float]]:
    """Train a Keras model in place, on XLA on a CPU (where its layers allow it) and on cuDNN on a GPU.

    Compiling costs more than many a small run, so the compiled step is kept. A later model that differs only in its
    weights, its initialisers or its learning rate lends its weights to the same step and gets them back trained. The
    result is the same, bit for bit, as with a fresh step.

    Args:
        model: a Keras model that begins with ``keras.Input``. Its own ``compile`` is neither needed nor touched.
        data: ``(x, y)``: arrays of shape (sequences, ...); for a model with several inputs ``x`` is a tuple of arrays.
        epochs: passes over the data. Sequences that do not fill a last batch are left out of that pass.
        batch_size: sequences per step; all of them when there are fewer.
        loss: name or object of a Keras loss.
        optimizer: name or object of a Keras optimizer. Its settings are copied; its state always starts anew. The
            clipping of the literature is ``global_clipnorm``; ``clipnorm`` clips each variable by itself.
        validation: ``(x, y)`` whose loss is measured after each epoch.
        keep_best: end with the weights of the epoch with the lowest validation loss instead of the last ones.
        until: stop after the epoch whose validation loss is at most this.
        shuffle: draw a new order each epoch from NumPy's global generator (see :func:`utils.runtime.set_seed`).

    Returns:
        ``{"loss": [...], "val_loss": [...]}``, a value per epoch; ``val_loss`` only with ``validation``.

    Raises:
        ValueError: no epoch, no sequence or no batch; inputs and targets of different length; values that are not
            finite; ``keep_best`` or ``until`` without ``validation``; a model without ``keras.Input``.
    """
    x, y = _checked("data", data)
    if validation is not None:
        validation = _checked("validation", validation)
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs is {epochs} and batch_size is {batch_size}; expected at least 1 of each.")
    if validation is None and (keep_best or until is not None):
        raise ValueError("keep_best and until need validation=(x, y): they go by the loss on it.")
    batch_size = min(batch_size, len(y))
    steps = len(y) // batch_size

    history = collections.defaultdict(list)
    best = None
    with borrow(model, keras.losses.get(loss), keras.optimizers.get(optimizer), (batch_size, y)) as compiled:
        for _ in range(epochs):
            order = np.random.permutation(len(y)) if shuffle else np.arange(len(y))
            batches = np.split(order[: steps * batch_size], steps)
            losses = [compiled.step([part[rows] for part in x], y[rows]) for rows in batches]
            history["loss"].append(float(np.mean(losses)))
            if validation is not None:
                val_x, val_y = validation
                history["val_loss"].append(float(np.mean(compiled.loss(val_y, compiled.predict(val_x)))))
                if keep_best and history["val_loss"][-1] <= min(history["val_loss"]):
                    best = _values(compiled.model.variables)
                if until is not None and history["val_loss"][-1] <= until:
                    break
        if best is not None:
            _assign(compiled.model.variables, best)
    return dict(history)


def predict(model: "keras.Model", x: np.ndarray | tuple) -> np.ndarray:
    """The outputs of a Keras model, with the compiled forward pass of its architecture (see :func:`fit`).

    Args:
        model: a Keras model that begins with ``keras.Input``.
        x: inputs, shape (sequences, ...); a tuple of such arrays for a model with several inputs.

    Returns:
        Array of shape (sequences, ...).

    Raises:
        ValueError: a model without ``keras.Input``.
    """
    with borrow(model) as compiled:
        return compiled.predict(_arrays(x))


def forget_compiled() -> None:
    """Drop every compiled step of this process; the next :func:`fit` compiles anew."""
    _compiled.clear()


class Compiled:
    """A private copy of a model with its forward pass and, where there is an optimizer, its training step compiled."""

    def __init__(self, model, loss=None, optimizer=None, batch: tuple | None = None) -> None:
        # Copying a model draws seeds for initial weights that are then overwritten: leave Python's generator as it was.
        state = random.getstate()
        self.model = keras.models.clone_model(model)
        random.setstate(state)
        self.loss = loss
        self.optimizer = optimizer and type(optimizer).from_config(optimizer.get_config())
        self.start = []
        if optimizer:
            self.optimizer.build(self.model.trainable_variables)
            self.start = _values(self.optimizer.variables)
            jit = not runtime.gpus() and all(layer.supports_jit for layer in self.model._flatten_layers())
            step = tf.function(self._step, jit_compile=jit)
            self.step = step.get_concrete_function(*self._specs(*batch))

    @functools.cached_property
    def forward(self):
        inputs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in self.model.inputs]
        return tf.function(lambda *x: self._call(x, training=False)).get_concrete_function(*inputs)

    def _specs(self, batch_size: int, y) -> tuple:
        """Shapes and types of what :meth:`_step` is given."""
        inputs = [tf.TensorSpec([batch_size, *t.shape[1:]], t.dtype) for t in self.model.inputs]
        return inputs, tf.TensorSpec([batch_size, *y.shape[1:]], y.dtype)

    def _call(self, x, training: bool):
        return self.model(x[0] if len(x) == 1 else list(x), training=training)

    def _step(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.loss(y, self._call(x, training=True)))
            loss = tf.add_n([loss, *self.model.losses])  # weight regularisation
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def predict(self, x: list[np.ndarray], batch_size: int = 1024) -> np.ndarray:
        starts = range(0, len(x[0]), batch_size)
        return np.concatenate([self.forward(*[part[i : i + batch_size] for part in x]).numpy() for i in starts])


@contextlib.contextmanager
def borrow(
    model, loss=None, optimizer=None, batch: tuple | None = None, kind: type[Compiled] = Compiled, **settings
) -> Iterator[Compiled]:
    """The compiled step of a model's architecture, holding the model's weights; they are handed back at the end.

    For the modules of this package. ``kind`` is the class that compiles the step, ``settings`` what it needs besides.
    """
    runtime.start_tensorflow()
    if not getattr(model, "inputs", None):
        raise ValueError(
            "The model does not know the shape of its inputs; begin it with keras.Input((time, features))."
        )
    key = kind.__name__ + str(settings) + _architecture(model, loss, optimizer, batch)
    if key not in _compiled:
        _compiled[key] = kind(model, loss, optimizer, batch, **settings)
    compiled = _compiled[key]
    _assign(compiled.model.variables, _values(model.variables))
    if optimizer:
        _assign(compiled.optimizer.variables, compiled.start)
        if not isinstance(optimizer.get_config()["learning_rate"], dict):  # a schedule is part of the architecture
            compiled.optimizer.learning_rate = float(optimizer.learning_rate)
    yield compiled
    _assign(model.variables, _values(compiled.model.variables))


def _architecture(model, loss, optimizer, batch: tuple | None) -> str:
    """What two models share when they share a compiled step: everything but names and starting values."""
    names = {layer.name: f"layer {i}" for i, layer in enumerate(model._flatten_layers())}

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k not in ("name", "seed") and "initializer" not in k}
        if isinstance(value, list | tuple):
            if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):  # a layer's connection
                value = [names.get(value[0], value[0]), *value[1:]]
            return [plain(item) for item in value]
        return value

    parts = [plain(keras.saving.serialize_keras_object(model)), [variable.trainable for variable in model.variables]]
    if optimizer:
        settings = plain(keras.saving.serialize_keras_object(optimizer))
        if not isinstance(settings["config"]["learning_rate"], dict):
            settings["config"].pop("learning_rate")
        batch_size, y = batch
        parts += [settings, keras.saving.serialize_keras_object(loss), batch_size, y.shape[1:], str(y.dtype)]
    return json.dumps(parts, default=str)


def _values(variables) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def _assign(variables, values) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _arrays(x) -> list[np.ndarray]:
    return [np.asarray(part) for part in (x if isinstance(x, tuple) else (x,))]


def _checked(name: str, data: tuple) -> tuple[list[np.ndarray], np.ndarray]:
    """``([x, ...], y)`` as arrays of equal, positive length without NaN or infinity."""
    if not isinstance(data, tuple) or len(data) != 2:
        raise ValueError(f"{name} is a {type(data).__name__}; expected a pair of arrays (x, y).")
    x, y = _arrays(data[0]), np.asarray(data[1])
    if y.dtype == np.float64:
        y = y.astype(np.float32)
    for label, array in [*(("x", part) for part in x), ("y", y)]:
        if len(array) != len(y) or len(y) == 0:
            raise ValueError(f"{name}: {len(array)} inputs and {len(y)} targets; expected as many of both, at least 1.")
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise ValueError(f"{name}: {label} holds NaN or infinity; clean or scale the series first.")
    return x, y
