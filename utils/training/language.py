"""Training a language model on a long text: carried state, and one recipe that a short budget suffices for."""

import numpy as np

from utils.datasets.windows import text_blocks, text_stretches
from utils.runtime import keras
from utils.training.truncated import fit_truncated


def recipe(updates: int, rate: float = 0.03) -> dict:
    """Loss and optimizer with which a small language model learns most in few updates, for ``fit`` and its kin.

    AdamW (Loshchilov and Hutter 2019), the rate raised over a tenth of the updates and let down to a fiftieth along a
    cosine, the gradient's norm clipped at 1.

    Args:
        updates: how many there will be.
        rate: the highest learning rate.

    Raises:
        ValueError: fewer than 10 updates.
    """
    if updates < 10:
        raise ValueError(f"updates is {updates}; expected at least 10, of which one raises the rate.")
    warm_up = updates // 10
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, updates - warm_up, alpha=0.02, warmup_target=rate, warmup_steps=warm_up
    )
    return {
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "optimizer": keras.optimizers.AdamW(schedule, weight_decay=0.01, beta_2=0.99, global_clipnorm=1.0),
    }


def fit_language_model(
    model: "keras.Sequential",
    symbols,
    *,
    updates: int = 700,
    rows: int = 32,
    length: int = 32,
    rate: float = 0.03,
    validation=None,
    every: int = 100,
) -> dict[str, list[float]]:
    """Train a model of :func:`utils.models.language_model.build_language_model` in place, with a carried state.

    Taught in lesson 13. Loss and optimizer are those of :func:`recipe`. Where in the text training begins is drawn from
    NumPy's global generator (see :func:`utils.runtime.set_seed`).

    Args:
        model: with a free head; one with a tied head is trained on stretches by :func:`utils.training.fit.fit`.
        symbols: the encoded text, shape (time,).
        updates: how many; each sees rows * length symbols.
        rows, length: of a block, see :func:`utils.datasets.windows.text_blocks`; gradients go back ``length`` symbols.
        rate: the highest learning rate.
        validation: encoded text, shape (time,), read in stretches of 256 symbols; training then ends with the weights
            that had the lowest loss on it.
        every: updates between two measurements of that loss.

    Returns:
        ``{"loss": [...], "val_loss": [...]}`` in nats a symbol, as from
        :func:`utils.training.truncated.fit_truncated`.

    Raises:
        ValueError: fewer than 10 updates, a text too short, or a model that cannot be trained so.
    """
    symbols = np.asarray(symbols)
    if validation is not None:
        validation = text_stretches(validation, min(256, len(validation) - 1))
    return fit_truncated(
        model,
        text_blocks(np.roll(symbols, -np.random.randint(len(symbols))), rows, length, updates),
        **recipe(updates, rate),
        validation=validation,
        every=every,
        keep_best=validation is not None,
    )
