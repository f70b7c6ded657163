"""What a network has learned, used again: in a smaller network, with fewer weights, or on another text."""

import numpy as np

from utils.datasets.windows import text_blocks
from utils.runtime import keras
from utils.training.language import recipe
from utils.training.truncated import fit_truncated


class DistillationLoss(keras.losses.Loss):
    """Cross-entropy with the symbol that came, mixed with cross-entropy with what a teacher expected.

    With logits z of the student, v of the teacher, the temperature T, the weight w and the symbol y that came it is
    (1 - w) H(y, softmax(z)) + w T^2 H(softmax(v / T), softmax(z / T)), in nats (Hinton, Vinyals and Dean 2015, section
    2; for text, symbol by symbol, Kim and Rush 2016, section 3.1). T^2 keeps the two gradients in proportion when T is
    changed.

    Targets are (..., 1 + symbols): the number of the symbol that came, then the teacher's logits.
    """

    def __init__(self, temperature: float = 2.0, weight: float = 0.5, name: str = "distillation") -> None:
        """See the class.

        Raises:
            ValueError: a temperature that is not above 0, a weight outside 0 to 1.
        """
        if temperature <= 0 or not 0 <= weight <= 1:
            raise ValueError(
                f"temperature is {temperature} and weight {weight}; expected more than 0, and a share from 0 to 1."
            )
        super().__init__(name=name)
        self.temperature, self.weight = temperature, weight

    def call(self, y_true, y_pred):
        ops, t = keras.ops, self.temperature
        came, teacher = ops.cast(y_true[..., 0], "int32"), y_true[..., 1:]  # (...), (..., symbols)
        hard = ops.sparse_categorical_crossentropy(came, y_pred, from_logits=True)
        soft = -ops.sum(ops.softmax(teacher / t) * ops.log_softmax(y_pred / t), axis=-1)
        return (1 - self.weight) * hard + self.weight * t**2 * soft  # (...)

    def get_config(self):
        return super().get_config() | {"temperature": self.temperature, "weight": self.weight}


def fit_distilled(
    student: "keras.Sequential",
    symbols,
    logits,
    *,
    temperature: float = 2.0,
    weight: float = 0.5,
    updates: int = 400,
    rows: int = 32,
    length: int = 32,
    rate: float = 0.03,
) -> dict[str, list[float]]:
    """Train a student in place on a text and on what a teacher expected in it, with a carried state.

    Taught in lesson 16. With a weight of 0 the teacher has no say and only the text counts: the opponent to compare
    with, on the same blocks. Loss: :class:`DistillationLoss`; optimizer: that of
    :func:`utils.training.language.recipe`.

    Args:
        student: as for :func:`utils.training.language.fit_language_model`.
        symbols: the encoded text, shape (time,).
        logits: of the teacher after each symbol, shape (time, symbols). Let it read as the student will: the text in
            ``rows`` parts side by side, as ``Engine(teacher).read(symbols.reshape(rows, -1))``.
        temperature, weight: of the loss.
        updates, rows, length, rate: as in ``fit_language_model``. Blocks are read from the beginning of the text.

    Returns:
        ``{"loss": [...]}``, a value per update: of the mixture, not in nats of the text alone.

    Raises:
        ValueError: not a row of logits for each symbol, a text too short, what the loss refuses.
    """
    symbols = np.asarray(symbols)
    if np.ndim(logits) != 2 or len(logits) != len(symbols):
        raise ValueError(
            f"The text has {len(symbols)} symbols and logits the shape {np.shape(logits)}; expected a row for each."
        )

    def blocks():
        for before, after in text_blocks(np.arange(len(symbols)), rows, length, updates):
            came = symbols[after][..., None].astype(np.float32)  # (rows, length, 1)
            yield symbols[before], np.concatenate([came, np.asarray(logits[before], np.float32)], axis=-1)

    loss = DistillationLoss(temperature, weight)
    return fit_truncated(student, blocks(), **recipe(updates, rate) | {"loss": loss})


def fine_tune(
    model: "keras.Sequential",
    symbols,
    *,
    old=None,
    share: float = 0.1,
    updates: int = 100,
    rows: int = 32,
    length: int = 32,
    rate: float = 0.01,
) -> dict[str, list[float]]:
    """Train a language model that knows one text on another, in place; with replay it goes on reading the old one, too.

    Taught in lesson 15. What a network learned first is overwritten by what it learns next (McCloskey and Cohen 1989);
    rehearsal mixes some of the old among the new (Ratcliff 1990, Robins 1995). The old text need not be real: Robins's
    "pseudorehearsal" lets the network write it, here with :func:`utils.generation.text.generate`, before it is trained.

    Args:
        model: trained, as for :func:`utils.training.language.fit_language_model`. Its optimizer starts anew.
        symbols: the new text, encoded, shape (time,).
        old: the old text, real or written by the model, shape (time,); without, there is no replay.
        share: of the ``rows`` of a block that read the old text, rounded to whole rows.
        updates, rows, length, rate: as in ``fit_language_model``. With replay the same ``rows`` in all, so fewer read
            the new text. Where each text begins is drawn from NumPy's global generator.

    Returns:
        ``{"loss": [...]}``, in nats a symbol, a value per update: over both texts.

    Raises:
        ValueError: fewer than 10 updates, a text too short, a share with which no row or every row would read the old
            text, or a model that cannot be trained so.
    """
    replayed = round(share * rows) if old is not None else 0
    if old is not None and not 0 < replayed < rows:
        raise ValueError(
            f"share is {share}, {replayed} of {rows} rows; expected at least one row for the old text and one for the "
            "new. Without replay leave out old."
        )
    parts = [(symbols, rows - replayed)] + ([(old, replayed)] if replayed else [])
    readers = []
    for text, count in parts:
        text = np.asarray(text)
        readers.append(text_blocks(np.roll(text, -np.random.randint(len(text))), count, length, updates))
    blocks = (tuple(map(np.concatenate, zip(*together, strict=True))) for together in zip(*readers, strict=True))
    return fit_truncated(model, blocks, **recipe(updates, rate))


def prune(model: "keras.Model", share: float) -> None:
    """Set the weights of smallest magnitude to zero, in each matrix the same share of them; biases stay.

    Taught in lesson 16. Magnitude pruning with the same share in each class of weights, "class-uniform" in See, Luong
    and Manning (2016).

    Args:
        model: changed in place; what :func:`retrain` makes of it keeps the zeros.
        share: of the weights of each matrix that are zero afterwards, those included that were zero before.

    Raises:
        ValueError: a share outside 0 to 1, or 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share is {share}; expected 0 or more, and less than 1.")
    for variable in _matrices(model):
        weights = variable.numpy()
        order = np.argsort(np.abs(weights), axis=None, kind="stable")
        weights.flat[order[: round(share * weights.size)]] = 0
        variable.assign(weights)


def nonzeros(model: "keras.Model") -> int:
    """Trainable weights that are not exactly zero, biases included."""
    return sum(int(np.count_nonzero(variable.numpy())) for variable in model.trainable_variables)


class KeepZeros(keras.optimizers.AdamW):
    """AdamW that leaves a weight at exactly zero where it is zero: the mask of pruning, kept without being stored.

    The gradient of such a weight is set to zero, before it is clipped. So its moments stay zero, and it stays where it
    is (Narang et al. 2017, section 3: weights once set to zero are not updated).
    """

    def apply(self, grads, trainable_variables=None):
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        masked = []
        for gradient, variable in zip(grads, variables, strict=True):
            if len(variable.shape) < 2 or gradient is None:  # biases begin at zero and have to move
                masked.append(gradient)
                continue
            kept = keras.ops.cast(keras.ops.not_equal(variable, 0), variable.dtype)
            masked.append(keras.ops.convert_to_tensor(gradient) * kept)
        super().apply(masked, trainable_variables)


def retrain(
    model: "keras.Sequential",
    symbols,
    *,
    updates: int = 100,
    rows: int = 32,
    length: int = 32,
    rate: float = 0.01,
) -> dict[str, list[float]]:
    """Train on a pruned language model in place, its zeros kept; one without zeros is trained on as it is.

    Taught in lesson 16. As :func:`utils.training.language.fit_language_model`, with :class:`KeepZeros`; the rate is
    lower, for the network has been trained.

    Args:
        model: after :func:`prune`.
        symbols: the encoded text, shape (time,).
        updates, rows, length, rate: as in ``fit_language_model``.

    Returns:
        ``{"loss": [...]}``, in nats a symbol, a value per update.

    Raises:
        ValueError: fewer than 10 updates, a text too short, or a model that cannot be trained so.
    """
    symbols = np.asarray(symbols)
    symbols = np.roll(symbols, -np.random.randint(len(symbols)))
    settings = recipe(updates, rate)
    optimizer = KeepZeros.from_config(settings["optimizer"].get_config())
    return fit_truncated(model, text_blocks(symbols, rows, length, updates), **settings | {"optimizer": optimizer})


def _matrices(model: "keras.Model") -> list:
    return [variable for variable in model.trainable_variables if len(variable.shape) > 1]
