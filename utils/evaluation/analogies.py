"""What vectors of words know: whether a word's nearest is of its kind, and what "a is to b as c is to ..." rests on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

RELATIONS = {
    "plural": (
        "king kings, son sons, daughter daughters, day days, year years, priest priests, prophet prophets, "
        "servant servants, city cities, house houses, horse horses, brother brothers, father fathers, hand hands, "
        "tree trees, stone stones, gate gates, wall walls, mountain mountains, nation nations, word words, law "
        "laws, vineyard vineyards, lion lions, bull bulls, altar altars, idol idols, enemy enemies, friend "
        "friends, offering offerings, prince princes, month months, river rivers, tent tents, eye eyes, ear ears, "
        "sin sins, pillar pillars, disciple disciples, animal animals, field fields, angel angels, spirit "
        "spirits, garment garments, camel camels, donkey donkeys, sword swords, work works"
    ),
    "past": (
        "say said, come came, go went, give gave, take took, see saw, make made, know knew, speak spoke, bring "
        "brought, send sent, hear heard, call called, stand stood, eat ate, drink drank, die died, live lived, "
        "turn turned, return returned, build built, fall fell, find found, keep kept, sit sat, write wrote, rise "
        "rose, bow bowed, answer answered, kill killed, love loved, serve served, walk walked, fight fought, flee "
        "fled, lift lifted, look looked, pass passed, gather gathered, weep wept, sing sang, swear swore, fear "
        "feared, ask asked, cry cried, choose chose, teach taught, tell told, burn burned, break broke, cut cut"
    ),
    "opposite": (
        "good evil, day night, heaven earth, light darkness, life death, man woman, father mother, son daughter, "
        "brother sister, king queen, husband wife, wise foolish, righteous wicked, first last, old young, great "
        "small, rich poor, north south, east west, right left, clean unclean, love hate, open shut, up down, in "
        "out, before after, gold silver, bless curse, peace war, strong weak, high low, many few, new old, near "
        "far, male female, above below, morning evening, hot cold, long short, summer winter, buy sell, give "
        "take, come go, ask answer, begin end"
    ),
}
"""Pairs of words that stand in one relation, as lesson 11 asks about them: "a b, a b, ..."."""


def same_kind(vectors, kinds: Sequence[Sequence[int]]) -> np.ndarray:
    """For each word of several kinds whether, among all these words, the nearest to it is of its own kind.

    Taught in lesson 11.

    Args:
        vectors: shape (vocabulary, size).
        kinds: the numbers of the words of each kind, at least two of each.

    Returns:
        Booleans, one per word, kind after kind.

    Raises:
        ValueError: a kind of fewer than two words, or fewer than two kinds.
    """
    if len(kinds) < 2 or min(map(len, kinds)) < 2:
        raise ValueError(f"Kinds of {[len(kind) for kind in kinds]} words; expected at least two of at least two.")
    kind = np.repeat(np.arange(len(kinds)), [len(words) for words in kinds])
    unit = _unit(vectors)[np.concatenate([list(words) for words in kinds])]
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    return kind[likeness.argmax(axis=1)] == kind


def ask_analogies(vectors, pairs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """All questions "a is to b as c is to d" of pairs that stand in one relation, answered in four ways.

    Taught in lesson 11. The offset is b - a + c, of vectors of length 1, and the answer the word nearest to it.

    Args:
        vectors: shape (vocabulary, size).
        pairs: numbers of words (a, b); a question is made of any two that share no word.

    Returns:
        One row per question: "first" and "second", places of its pairs in ``pairs``; and booleans: "input", the word
        nearest to the offset is a, b or c; "open", it is d; "offset", it is d when a, b and c are left out (as is
        nearly always done); "neighbour", the word nearest to c alone is d, a and b left out as well; "mixed", it is d
        with b taken from the next pair that shares no word with these two.

    Raises:
        ValueError: fewer than three pairs, or no three that share no word.
    """
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or len(pairs) < 3:
        raise ValueError(f"The pairs have the shape {pairs.shape}; expected at least three, of two words each.")
    unit, rows = _unit(vectors), []
    for i, (a, b) in enumerate(pairs):
        places = np.array([j for j, pair in enumerate(pairs) if not {a, b} & set(pair.tolist())], dtype=int)
        if not places.size:
            continue
        c, d = pairs[places].T
        mixed = np.array([pairs[_another(pairs, i, j), 1] for j in places])

        def best(direction, *left_out):
            likeness = direction @ unit.T
            for words in left_out:
                likeness[np.arange(len(likeness)), words] = -np.inf
            return likeness.argmax(axis=1)

        offset = unit[b] - unit[a] + unit[c]
        free = best(offset)
        rows.append(
            pd.DataFrame(
                {
                    "first": i,
                    "second": places,
                    "input": (free == a) | (free == b) | (free == c),
                    "open": free == d,
                    "offset": best(offset, a, b, c) == d,
                    "neighbour": best(unit[c], a, b, c) == d,
                    "mixed": best(unit[mixed] - unit[a] + unit[c], a, mixed, c) == d,
                }
            )
        )
    if not rows:
        raise ValueError("No two pairs are without a common word, so there is nothing to ask.")
    return pd.concat(rows, ignore_index=True)


def bootstrap_pairs(asked: pd.DataFrame, better: str, worse: str, draws: int = 1000, seed: int = 0) -> np.ndarray:
    """The 95% interval of a difference between two ways to answer, over the pairs and not over the questions.

    Pairs are drawn with replacement, and a question counts as often as both of its pairs were drawn: questions that
    share a pair are not independent, so to draw questions would make the interval too narrow.

    Args:
        asked: of :func:`ask_analogies`.
        better, worse: two of its columns; the difference is of their shares.
        draws, seed: of the bootstrap.

    Returns:
        Shape (2,): the ends.
    """
    count = 1 + int(asked[["first", "second"]].to_numpy().max())
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    weight = times[:, asked["first"]] * times[:, asked["second"]]  # (draws, questions)
    difference = asked[better].to_numpy(float) - asked[worse].to_numpy(float)
    total = np.maximum(weight.sum(axis=1), 1)
    return np.quantile(weight @ difference / total, [0.025, 0.975])


def _another(pairs: np.ndarray, first: int, second: int) -> int:
    """The place of the next pair after ``first`` that shares no word with it or with ``second``."""
    taken = {*pairs[first].tolist(), *pairs[second].tolist()}
    for step in range(1, len(pairs)):
        place = (first + step) % len(pairs)
        if not taken & set(pairs[place].tolist()):
            return place
    raise ValueError(f"Every pair shares a word with {pairs[first]} or {pairs[second]}; expected another one.")


def _unit(vectors) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
