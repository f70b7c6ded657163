"""The fast path: train a Keras model with a compiled step that later models of the same architecture reuse."""

import collections

import numpy as np

from utils.runtime import keras
from utils.training import divergence
from utils.training.compiled import assign, borrow, values


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
    may_diverge: bool = False,
) -> dict[str, list[float]]:
    """Train a Keras model in place, on XLA on a CPU (where its layers allow it) and on cuDNN on a GPU.

    Compiling costs more than many a small run, so the compiled step is kept. A later model that differs only in its
    weights, its initialisers or its learning rate lends its weights to the same step and gets them back trained. The
    result is the same, bit for bit, as with a fresh step. Losses, layers and optimizers of your own count with their
    code and with the values it reads; where those cannot be told, the step is compiled anew.

    Training goes on when the loss becomes NaN or infinite, since that can be what a lesson is about; a warning
    (:class:`utils.training.divergence.Diverged`) names the epoch in which it first did. In a trial of
    :func:`utils.training.study.study` the study gives one warning for all its trials.

    Args:
        model: a Keras model that begins with ``keras.Input``. Its own ``compile`` is neither needed nor touched.
        data: ``(x, y)``: arrays of shape (sequences, ...); for a model with several inputs ``x`` is a tuple of arrays.
        epochs: passes over the data. Sequences that do not fill a last batch are left out of that pass.
        batch_size: sequences per step; all of them when there are fewer.
        loss: name or object of a Keras loss, or a function of targets and outputs.
        optimizer: name or object of a Keras optimizer. Its settings are copied; its state always starts anew. The
            clipping of the literature is ``global_clipnorm``; ``clipnorm`` clips each variable by itself.
        validation: ``(x, y)`` whose loss is measured after each epoch.
        keep_best: end with the weights of the epoch with the lowest validation loss instead of the last ones.
        until: stop after the epoch whose validation loss is at most this.
        shuffle: draw a new order each epoch from NumPy's global generator (see :func:`utils.runtime.set_seed`).
        may_diverge: do not warn when the loss becomes NaN or infinite.

    Returns:
        ``{"loss": [...], "val_loss": [...]}``, a value per epoch; ``val_loss`` only with ``validation``.

    Raises:
        ValueError: no epoch, no sequence or no batch; inputs and targets of different length; values that are not
            finite; ``keep_best`` or ``until`` without ``validation``; a model without ``keras.Input``; an optimizer
            whose settings cannot be copied.
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
        for epoch in range(1, epochs + 1):
            order = np.random.permutation(len(y)) if shuffle else np.arange(len(y))
            batches = np.split(order[: steps * batch_size], steps)  # (steps, batch)
            losses = [compiled.step([part[rows] for part in x], y[rows]) for rows in batches]
            history["loss"].append(_mean(losses))
            if validation is not None:
                val_x, val_y = validation
                history["val_loss"].append(_mean(compiled.loss(val_y, compiled.predict(val_x))))
            for name, what in {"loss": "loss", "val_loss": "validation loss"}.items():
                if not may_diverge and not np.isfinite(history[name][-1:]).all():
                    may_diverge = True  # said once
                    divergence.tell(history[name][-1], what, f"epoch {epoch} of {epochs}")
            if validation is not None:
                if keep_best and history["val_loss"][-1] <= min(history["val_loss"]):
                    best = values(compiled.model.variables)
                if until is not None and history["val_loss"][-1] <= until:
                    break
        if best is not None:
            assign(compiled.model.variables, best)
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


def _mean(losses) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # said in words of our own
        return float(np.mean(losses))


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
