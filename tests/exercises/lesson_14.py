"""Typical wrong answers to the exercises of lesson 14, each with words that its feedback must contain."""

first = [
    (lambda x: x, "TODO: a typical wrong answer, and words that its feedback must contain"),
    (lambda x: 0, "TODO: another one"),
]

second = [
    (lambda x: x, "TODO: a typical wrong answer, and words that its feedback must contain"),
    (lambda x: 0, "TODO: another one"),
]

third = [
    (lambda x: x, "TODO: a typical wrong answer, and words that its feedback must contain"),
    (lambda x: 0, "TODO: another one"),
]
