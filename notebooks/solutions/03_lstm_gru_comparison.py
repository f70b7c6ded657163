"""Reference answers to the exercises of lesson 03. Try first: the check cells tell you what is missing."""

import math

import numpy as np


def multiplications(cell: str, features: int, units: int) -> int:
    """Each block has a kernel (features, units) and a recurrent kernel (units, units)."""
    blocks = {"LSTM": 4, "GRU": 3}[cell]
    return blocks * units * (features + units)


def steps_in_same_time(lstm_steps: int, lstm_seconds: float, gru_seconds: float) -> int:
    """The tiny addition forgives rounding where the quotient is whole."""
    return math.floor(lstm_steps * lstm_seconds / gru_seconds + 1e-9)


def superiority(errors_a, errors_b) -> float:
    """All pairs at once: a column against a row."""
    a, b = np.asarray(errors_a)[:, None], np.asarray(errors_b)[None, :]
    return float(np.mean(a < b) + np.mean(a == b) / 2)


def counter_with_reset():
    """On a: keep and add tanh(30) = 1. On b: the forget gate closes, and the candidate is tanh(0) = 0."""
    kernel = np.zeros((2, 4))
    kernel[0] = [30, 30, 30, 30]
    kernel[1] = [-30, -30, 0, 30]
    return kernel, np.zeros((1, 4)), np.zeros(4)
