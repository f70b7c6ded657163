"""What the answers to the exercises of lesson 12 must do."""

from collections import Counter

import numpy as np

from utils.datasets.translation import number_name
from utils.evaluation.translation import bleu
from utils.exercises import Wrong, array, call, exercise, number


def _weights(scores: np.ndarray) -> np.ndarray:
    grown = np.exp(scores - scores.max())
    return grown / grown.sum()


@exercise("12 attend")
def attend(answer) -> None:
    """Softmax over the places that are there; the weighted mean of the values."""
    rng = np.random.default_rng(12)
    for there in ([True] * 4, [True, True, True, False, False], [True, False]):
        places = len(there)
        query, keys, values = rng.normal(size=3), rng.normal(size=(places, 3)), rng.normal(size=(places, 2))
        there = np.array(there)
        scores = keys @ query
        expected = _weights(np.where(there, scores, -np.inf)) @ values
        got = call(answer, query.copy(), keys.copy(), values.copy(), there.copy())
        got = array(got, (2,), f"what is read of {places} places, {there.sum()} of them there,")
        where = f"with {there.sum()} of {places} places there"
        if np.allclose(got, expected, atol=1e-6):
            continue
        if np.allclose(got, scores @ values) or np.allclose(got, (scores * there) @ values):
            raise Wrong(f"{where} you weigh with the scores themselves; softmax makes them add up to 1.")
        if np.allclose(got, _weights(scores) @ values):
            raise Wrong(f"{where} you also read the padding: a place that is not there must get the weight 0.")
        if np.allclose(got, (_weights(scores) * there) @ values):
            raise Wrong(f"{where} your weights do not add up to 1. Take the places out before the softmax, not after.")
        if np.allclose(got, _weights(scores * there) @ values):
            raise Wrong(f"{where} you give the missing places the score 0; e^0 is 1. Their score must be -infinity.")
        raise Wrong(f"{where} you read {got.round(3).tolist()}, expected {expected.round(3).tolist()}.")


@exercise("12 given")
def given(answer) -> None:
    """The answer one step late, and as long as it."""
    for meant, begin in (([4, 2, 7, 0], 9), ([1, 0, 0], 5), ([3, 3], 8)):
        got = call(answer, list(meant), begin)
        try:
            got = [int(symbol) for symbol in got]
        except (TypeError, ValueError):
            raise Wrong(f"expected a list of whole numbers, got {got!r}.") from None
        where = f"for the answer {meant}, begun with {begin},"
        if got == [begin, *meant[:-1]]:
            continue
        if got == meant:
            raise Wrong(f"{where} you give each step the symbol that it is to say: it will learn to copy.")
        if got == [begin, *meant]:
            raise Wrong(f"{where} you give {len(got)} symbols for {len(meant)} steps; nothing is said after the last.")
        if got[:-1] == meant[1:]:
            raise Wrong(f"{where} you shift the other way: each step is given what comes after its own symbol.")
        raise Wrong(f"{where} you give {got}; expected the symbol before each, and {begin} before the first.")


@exercise("12 clipped")
def clipped(answer) -> None:
    """p_1 of BLEU: each word counts at most as often as in the reference."""
    for said, meant in (
        ("red red sky", "red red green grey blue"),
        ("the the the the", "the cat is on the mat"),
        ("a cat", "the cat is on the mat"),
        ("on the mat is the cat", "the cat is on the mat"),
    ):
        said, meant = said.split(), meant.split()
        both = (Counter(said) & Counter(meant)).total()
        got = number(call(answer, list(said), list(meant)), "the share")
        where = f"for {' '.join(said)!r} with the reference {' '.join(meant)!r}"
        if np.isclose(got, both / len(said)):
            continue
        if np.isclose(got, sum(word in meant for word in said) / len(said)):
            raise Wrong(f"{where} you return {got:.3g}: a word counts at most as often as it stands in the reference.")
        if np.isclose(got, both / len(meant)):
            raise Wrong(f"{where} you return {got:.3g}: the share is of the words that were said, not of those meant.")
        if np.isclose(got, len(set(said) & set(meant)) / len(set(said))):
            raise Wrong(
                f"{where} you return {got:.3g}: words that are said twice count twice, if they are meant twice."
            )
        if np.isclose(got, len(set(said) & set(meant)) / len(said)):
            raise Wrong(f"{where} you return {got:.3g}: you count different words; said and meant twice counts twice.")
        raise Wrong(f"{where} you return {got:.3g}, expected {both / len(said):.3g}.")


@exercise("12 praised")
def praised(answer) -> None:
    """Never right, and 60 points all the same."""
    numbers = np.random.default_rng(12).integers(1000, 100_000, 200)
    meant = [number_name(int(n)).split() for n in numbers]
    said = []
    for words in meant:
        got = call(answer, list(words))
        if not isinstance(got, list) or not all(isinstance(word, str) for word in got):
            raise Wrong(f"expected a list of words for {' '.join(words)!r}, got {got!r}.")
        if got == words:
            raise Wrong(f"for {' '.join(words)!r} you say just that, which is right. Every answer has to be wrong.")
        said.append(got)
    score = bleu(said, meant).score
    if sum(map(len, said)) < sum(map(len, meant)) and score < 60:
        raise Wrong(f"never right, but BLEU {score:.0f}: what is shorter than the reference is punished for it.")
    if score < 60:
        raise Wrong(f"never right, but BLEU {score:.0f}; 60 are wanted. Leave long runs of words as they are.")
