"""What several lessons do with a model they have built: let it recall a symbol, forecast a series, read a text."""

import numpy as np
from sklearn.metrics import root_mean_squared_error as rmse

from utils.datasets.memory_tasks import recall
from utils.datasets.windows import Windows, as_changes, chronological_split, split_windows, standardise
from utils.evaluation.baselines import linear_on_windows
from utils.evaluation.metrics import bits_per_character, probability_of
from utils.runtime import keras
from utils.training.fit import fit, predict


def learn_recall(
    model: "keras.Model", lag: int, seed: int, *, steps: int = 200, batch_size: int = 32, learning_rate: float = 5e-3
) -> dict:
    """Train a model to name the first symbol after ``lag`` distractors, and ask it on 500 other sequences.

    Taught in lesson 02, as ``recall_trial``.

    Args:
        model: takes integers below 8, shape (batch, lag + 1), and gives the probabilities of two symbols.
        lag: distractors, see :func:`utils.datasets.memory_tasks.recall`.
        seed: of the sequences.
        steps, batch_size: training steps, and sequences in each; no sequence comes twice.
        learning_rate: of Adam, its gradients clipped to a common norm of 1.

    Returns:
        ``{"accuracy": ..., "solved": ...}``: the share of right answers, and whether it is above 0.9.
    """
    rng = np.random.default_rng(seed)
    train, (x, y) = recall(batch_size * steps, lag, rng), recall(500, lag, rng)
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
    fit(model, train, batch_size=batch_size, loss="sparse_categorical_crossentropy", optimizer=optimizer)
    accuracy = float(np.mean(predict(model, x).argmax(axis=1) == y))
    return {"accuracy": accuracy, "solved": accuracy > 0.9}


def learn_series(
    model: "keras.Model",
    series,
    window: int,
    horizon: int = 1,
    *,
    epochs: int,
    batch_size: int = 32,
    learning_rate: float = 5e-3,
) -> dict[str, float]:
    """Train a model to forecast by how much a series will have changed; the weights of its best epoch are kept.

    Taught in lesson 04, as ``window_trial``.

    Args:
        model: takes windows of shape (batch, window, 1) and gives one number.
        series: shape (time,); it is split in time, 70/10/20, and scaled with what is known of the training part.
        window, horizon: see :func:`utils.datasets.windows.split_windows`.
        epochs, batch_size: passes over the training part, and windows per step.
        learning_rate: of Adam, its gradients clipped to a common norm of 1.

    Returns:
        Errors over that of persistence, below 1 where they beat it: ``"validation"`` and ``"test"`` of the model, and
        ``"linear"``, that of least squares on the same windows, on the test part.
    """
    train, validation, test = split_windows(standardise(chronological_split(np.asarray(series))), window, horizon)
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
    kwargs = {"epochs": epochs, "batch_size": batch_size, "validation": as_changes(validation), "keep_best": True}
    fit(model, as_changes(train), optimizer=optimizer, **kwargs)
    linear = rmse(test.y, linear_on_windows(train, test.x)) / rmse(test.y, test.x[:, -1, 0])
    errors = {name: error_of_changes(model, part) for name, part in (("validation", validation), ("test", test))}
    return errors | {"linear": float(linear)}


def error_of_changes(model: "keras.Model", windows: Windows) -> float:
    """Error of a model that forecasts the change from the last value seen, over the error of saying "no change".

    Taught in lesson 03, as ``temperature_trial``.
    """
    now = windows.x[:, -1, 0]
    return float(rmse(windows.y, now + predict(model, windows.x)[:, 0]) / rmse(windows.y, now))


def text_bits(model: "keras.Model", x, y) -> float:
    """Bits per character of the characters ``y`` that follow ``x``; both whole numbers of shape (stretches, length).

    Taught in lesson 04, as ``context_trial``. The model gives logits of shape (stretches, length, characters).
    """
    return bits_per_character(probability_of(predict(model, x), y))
