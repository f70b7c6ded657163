"""Reference answers to the exercises of lesson 12. Try first: the check cells tell you what is missing."""

from collections import Counter

import numpy as np
from scipy.special import softmax


def attend(query: np.ndarray, keys: np.ndarray, values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """A score of -infinity becomes a weight of exactly 0, and the others still add up to 1."""
    scores = np.where(there, keys @ query, -np.inf)  # (places,)
    return softmax(scores) @ values


def given(answer: list[int], begin: int) -> list[int]:
    """What was right one step ago."""
    return [begin, *answer[:-1]]


def clipped(said: list[str], meant: list[str]) -> float:
    """The smaller of the two counts of each word."""
    return (Counter(said) & Counter(meant)).total() / len(said)


def praised(words: list[str]) -> list[str]:
    """One word too many at the end: all runs but a few are the reference's."""
    return [*words, "indeed"]
