"""Typical wrong answers to the exercises of lesson 12, each with words that its feedback must contain."""

import numpy as np
from scipy.special import softmax

attend = [
    (lambda q, k, v, there: (k @ q) @ v, "weigh with the scores themselves"),
    (lambda q, k, v, there: softmax(k @ q) @ v, "also read the padding"),
    (lambda q, k, v, there: (softmax(k @ q) * there) @ v, "do not add up to 1"),
    (lambda q, k, v, there: softmax((k @ q) * there) @ v, "the score 0"),
    (lambda q, k, v, there: v[np.argmax(np.where(there, k @ q, -np.inf))], "you read"),
    (lambda q, k, v, there: softmax(k @ q) @ k, "should have shape (2,), got (3,)"),
]

given = [
    (lambda answer, begin: answer, "learn to copy"),
    (lambda answer, begin: [begin, *answer], "nothing is said after the last"),
    (lambda answer, begin: [*answer[1:], begin], "shift the other way"),
    (lambda answer, begin: [0, *answer[:-1]], "expected the symbol before each"),
    (lambda answer, begin: "abc", "whole numbers"),
]

clipped = [
    (lambda said, meant: np.mean([word in meant for word in said]), "at most as often as it stands"),
    (lambda said, meant: sum(min(said.count(w), meant.count(w)) for w in set(said)) / len(meant), "not of those meant"),
    (lambda said, meant: len({*said} & {*meant}) / len({*said}), "words that are said twice"),
    (lambda said, meant: len({*said} & {*meant}) / len(said), "you count different words"),
    (lambda said, meant: 100.0, "expected"),
]

praised = [
    (lambda words: words, "Every answer has to be wrong"),
    (lambda words: words[::-1], "Leave long runs of words"),
    (lambda words: words[:2], "shorter than the reference"),
    (lambda words: " ".join(words), "expected a list of words"),
]
