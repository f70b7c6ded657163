"""What is said when the loss of a training run is no longer a number."""

import contextlib
import math
import warnings
from collections.abc import Iterator

_kept: list[str] | None = None  # while a study runs a trial: it tells of all trials at once


class Diverged(RuntimeWarning):
    """The loss became NaN or infinite."""


def tell(loss: float, what: str, place: str) -> None:
    """Warn that training has diverged; inside a trial of a study, leave it to the study to say so.

    Args:
        loss: NaN or infinite.
        what: "loss" or "validation loss".
        place: when, such as "epoch 3 of 20".
    """
    became = "NaN" if math.isnan(loss) else "infinite"
    message = (
        f"The {what} became {became} in {place}. The weights are of little use then: try a lower learning rate or "
        "global_clipnorm=1.0 in the optimizer. Where this is meant to happen, may_diverge=True leaves this line out."
    )
    if _kept is None:
        warnings.warn(message, Diverged, stacklevel=3)
    else:
        _kept.append(message)


@contextlib.contextmanager
def collected() -> Iterator[list[str]]:
    """Keep what :func:`tell` would warn of in a list instead."""
    global _kept
    outer, _kept = _kept, []
    try:
        yield _kept
    finally:
        _kept = outer
