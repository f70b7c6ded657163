"""What a translation is worth: BLEU, PINC, exact match and error rate, none of which is enough by itself.

Taught in lesson 12. Texts are sequences of tokens: lists of words, or strings of characters. BLEU changes
with the way in which a text is cut into tokens (Post 2018), so name it beside the score.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

Tokens = Sequence  # a list of words or symbols, or a string


class Bleu(NamedTuple):
    """A corpus score from 0 to 100, and what it is made of."""

    score: float
    precisions: tuple[float, ...]  # of n-grams, n = 1, 2, ..., from 0 to 100
    brevity_penalty: float  # 1 if the hypotheses are not shorter than the references


def bleu(hypotheses: Sequence[Tokens], references: Sequence[Tokens], order: int = 4, *, smooth: bool = True) -> Bleu:
    """BLEU of a corpus with one reference each: Papineni et al. (2002), equations 1 to 3.

    Of the n-grams of all hypotheses the share that stands in the reference, each counted at most as often as there;
    the geometric mean over n; times exp(1 - r / c) where the hypotheses with c tokens are shorter than the references
    with r. Fluent text that says something else scores well: see exact match beside it.

    Args:
        hypotheses, references: as many of both.
        order: the longest n-gram.
        smooth: where no n-gram of some length fits, give it half a hit, the next such length a quarter, and so on, as
            sacrebleu does by default; otherwise the score is then 0.

    Raises:
        ValueError: (here and below) none, or not as many of both; an order below 1.
    """
    _check(hypotheses, references)
    if order < 1:
        raise ValueError(f"order is {order}; expected at least 1.")
    hits, total = [0] * order, [0] * order
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        for n in range(1, order + 1):
            said, meant = _grams(hypothesis, n), _grams(reference, n)
            hits[n - 1] += (said & meant).total()
            total[n - 1] += said.total()
    precisions, credit = [], 1.0
    for hit, of in zip(hits, total, strict=True):
        if hit == 0 and of and smooth:
            credit /= 2
            precisions.append(100 * credit / of)
        else:
            precisions.append(100 * hit / of if of else 0.0)
    said, meant = sum(map(len, hypotheses)), sum(map(len, references))
    penalty = 1.0 if said >= meant else math.exp(1 - meant / said) if said else 0.0
    score = 0.0
    if sum(hits) and min(precisions) > 0:
        score = penalty * math.exp(sum(map(math.log, precisions)) / order)
    return Bleu(score, tuple(precisions), penalty)


def pinc(hypotheses: Sequence[Tokens], sources: Sequence[Tokens], order: int = 4) -> float:
    """How much was rewritten: the share of n-grams that the source does not have, 0 for a copy (Chen and Dolan 2011).

    For each text the mean over n = 1 ... ``order`` of the share of its different n-grams that do not stand in the
    source; then the mean over the texts. Copying the source can score well by :func:`bleu` alone.

    Returns:
        Between 0 and 1. A hypothesis without any n-gram counts as a copy.
    """
    _check(hypotheses, sources)
    values = []
    for hypothesis, source in zip(hypotheses, sources, strict=True):
        shares = []
        for n in range(1, order + 1):
            said, given = _grams(hypothesis, n).keys(), _grams(source, n).keys()
            if said:
                shares.append(len(said - given) / len(said))
        values.append(sum(shares) / len(shares) if shares else 0.0)
    return sum(values) / len(values)


def exact_match(hypotheses: Sequence[Tokens], references: Sequence[Tokens]) -> float:
    """Share of hypotheses that are right in every token."""
    _check(hypotheses, references)
    pairs = zip(hypotheses, references, strict=True)
    return sum(list(hypothesis) == list(reference) for hypothesis, reference in pairs) / len(hypotheses)


def edit_distance(a: Tokens, b: Tokens) -> int:
    """The least number of tokens to be put in, taken out or replaced to turn one into the other (Levenshtein 1966)."""
    before = list(range(len(b) + 1))  # from nothing to the first tokens of b
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
        before = row
    return before[-1]


def error_rate(hypotheses: Sequence[Tokens], references: Sequence[Tokens]) -> float:
    """Edits over tokens of the references, of the whole corpus: of words the word error rate, of letters theirs.

    Above 1 where more was said than meant.

    Raises:
        ValueError: references without any token.
    """
    _check(hypotheses, references)
    tokens = sum(map(len, references))
    if tokens == 0:
        raise ValueError("The references are empty; an error rate is per token of the references.")
    return sum(map(edit_distance, hypotheses, references)) / tokens


def _grams(tokens: Tokens, n: int) -> Counter:
    tokens = tuple(tokens)
    return Counter(tokens[i : i + n] for i in range(len(tokens) - n + 1))


def _check(hypotheses: Sequence, others: Sequence) -> None:
    if len(hypotheses) != len(others) or not len(others):
        raise ValueError(f"{len(hypotheses)} hypotheses and {len(others)} other texts; expected as many, at least one.")
