"""Reference answers to the exercises of lesson 09. Try first: the check cells tell you what is missing."""

import numpy as np


def bits_stored(labels: int, accuracy: float) -> float:
    """A label known for certain is 1 bit; what the accuracy leaves open is the entropy of a coin."""
    p = np.clip(accuracy, 1e-12, 1 - 1e-12)
    entropy = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    return labels * (1 - entropy)


def units_for_labels(labels: int, bits: float, features: int) -> int:
    """Widen the network until its parameters hold all labels."""
    units = 1
    while bits * (4 * units * (features + units + 1) + units + 1) < labels:
        units += 1
    return units


def one_standard_error(errors: dict[int, list[float]]) -> int:
    """The smallest size that cannot be told from the best (Breiman and others 1984)."""
    means = {size: np.mean(values) for size, values in errors.items()}
    best = min(means, key=means.get)
    limit = means[best] + np.std(errors[best], ddof=1) / np.sqrt(len(errors[best]))
    return min(size for size, mean in means.items() if mean <= limit)


def early_stopping(losses: list[float], patience: int) -> tuple[int, int]:
    """Stop after ``patience`` epochs in a row without a new best loss."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch + 1, best + 1


ANSWERS = {
    "09 bits stored": bits_stored,
    "09 units for labels": units_for_labels,
    "09 one standard error": one_standard_error,
    "09 early stopping": early_stopping,
}
