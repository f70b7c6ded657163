"""What a forecast is worth, where scikit-learn has no measure of it: of text, and of lengths."""

import numpy as np
from scipy import special


def bits_per_character(probabilities) -> float:
    """Mean of -log2 of the probability that a model gave to each character that came; 1 nat is 1.44 bits.

    Taught in lesson 03.

    Args:
        probabilities: of the characters that came, any shape, above 0 and at most 1.

    Raises:
        ValueError: no probabilities, or one outside (0, 1]: a model that calls possible text impossible has no score.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    if probabilities.size == 0 or not np.all((probabilities > 0) & (probabilities <= 1)):
        given = f"{probabilities.min()} to {probabilities.max()}" if probabilities.size else "none"
        raise ValueError(f"The probabilities are {given}; expected values above 0 and at most 1, one per character.")
    return float(-np.mean(np.log2(probabilities)))


def probability_of(logits, targets) -> np.ndarray:
    """The probability that a model gave to each class that came: softmax, then the target's entry.

    Args:
        logits: shape (..., classes).
        targets: whole numbers, shape (...).

    Raises:
        ValueError: shapes that do not fit each other, or a target that is not a class.
    """
    logits, targets = np.asarray(logits, dtype=float), np.asarray(targets)
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"Logits of shape {logits.shape} need targets of shape {logits.shape[:-1]}, got {targets.shape}."
        )
    classes = logits.shape[-1]
    if targets.size and not (targets.min() >= 0 and targets.max() < classes):
        raise ValueError(f"Targets are {targets.min()} to {targets.max()}; with {classes} classes: 0 to {classes - 1}.")
    return np.take_along_axis(special.softmax(logits, axis=-1), targets[..., None], axis=-1)[..., 0]


def half_solved_length(lengths, solved) -> float:
    """The length at which half of the runs still succeed: where their share first falls below 1/2.

    Taught in lesson 04.

    Between the last length with at least half and the first with fewer, the share is taken to be linear in the
    logarithm of the length.

    Args:
        lengths: of each run, above 0.
        solved: whether that run succeeded, as many.

    Returns:
        The length; infinity if at least half succeed at every length, 0 if fewer than half do at the shortest.

    Raises:
        ValueError: lists of different length or empty, or a length of 0 or below.
    """
    lengths, solved = np.asarray(lengths, dtype=float), np.asarray(solved, dtype=bool)
    if lengths.shape != solved.shape or lengths.size == 0 or lengths.min() <= 0:
        raise ValueError(f"{lengths.size} lengths and {solved.size} results; expected as many, with lengths above 0.")
    tried = np.unique(lengths)
    share = np.array([solved[lengths == length].mean() for length in tried])
    if np.all(share >= 0.5):
        return np.inf
    first = int(np.argmax(share < 0.5))
    if first == 0:
        return 0.0
    around = [first, first - 1]  # np.interp wants the shares to rise
    return float(np.exp(np.interp(0.5, share[around], np.log(tried[around]))))
