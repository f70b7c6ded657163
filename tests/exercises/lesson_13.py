"""Typical wrong answers to the exercises of lesson 13, each with words that its feedback must contain."""

import numpy as np


def _stateless(step, start, prompt, count):
    letter, made = prompt[-1], []
    for _ in range(count):
        logits, _ = step(letter, start)
        letter = int(np.argmax(logits))
        made.append(letter)
    return made


def _reads_the_last_twice(step, start, prompt, count):
    state, made = start, []
    for letter in prompt:
        _, state = step(letter, state)
    letter = prompt[-1]
    for _ in range(count):
        logits, state = step(letter, state)
        letter = int(np.argmax(logits))
        made.append(letter)
    return made


def _with_prompt(step, start, prompt, count):
    state, made = start, list(prompt)
    for letter in prompt:
        logits, state = step(letter, state)
    for _ in range(count):
        made.append(int(np.argmax(logits)))
        logits, state = step(made[-1], state)
    return made


def _last_letter_only(step, start, prompt, count):
    return _with_prompt(step, start, prompt[-1:], count)[1:]


go_on = [
    (_stateless, "every step began with the start state"),
    (_reads_the_last_twice, "is read twice"),
    (_with_prompt, "you return the prompt as well"),
    (_last_letter_only, "the first letters read were"),
    (lambda step, start, prompt, count: "aaa"[:count], "whole numbers"),
]


def _kept(p, rule, value, nucleus=lambda before, p, value: before < value, limit=lambda p, value: value * p.max()):
    if rule == "min-p":
        return p >= limit(p, value)
    order = np.argsort(-p)
    kept = np.zeros(len(p), bool)
    before = np.cumsum(p[order]) - p[order]
    kept[order] = np.arange(len(p)) < value if rule == "top-k" else nucleus(before, p[order], value)
    return kept


kept_letters = [
    (lambda p, rule, value: _kept(p, rule, value, lambda before, p, value: before + p <= value), "too little"),
    (lambda p, rule, value: _kept(p, rule, value, limit=lambda p, value: value), "times the likeliest"),
    (lambda p, rule, value: np.arange(len(p)) < value, "Sort by probability first"),
    (lambda p, rule, value: np.flatnonzero(_kept(p, rule, value)), "True or False"),
    (lambda p, rule, value: _kept(p, rule, value, lambda before, p, value: p >= 1 - value), "you keep places"),
]


def _anywhere(text):
    for length in range(1, len(text) // 3 + 1):
        if any(text[i : i + length] * 3 == text[i : i + 3 * length] for i in range(len(text))):
            return length
    return 0


def _longest(text):
    return max((n for n in range(1, len(text) // 3 + 1) if text.endswith(3 * text[-n:])), default=0)


def _twice(text):
    return next((n for n in range(1, len(text) // 2 + 1) if text.endswith(2 * text[-n:])), 0)


circle = [
    (_anywhere, "not at the end"),
    (_longest, "shortest phrase"),
    (_twice, "only twice"),
    (lambda text: _longest(text) > 0, "expected a length"),
]


def _hand(rule, value, predicted, likeliest, crumbs):
    return {"rule": rule, "value": value, "predicted": predicted, "likeliest": likeliest, "crumbs": crumbs}


live_hand = [
    (_hand("temperature", 0.7, 0.56, 0.58, 0.021), "No temperature"),
    (_hand("temperature", 0.5, 0.6, 0.704, 0.004), "more than 60"),
    (_hand("nucleus", 0.5, 0.6, 0.643, 0.0), "more than 60"),
    (_hand("top-k", 4, 0.5, 0.45, 0.0), "divided by their sum"),
    (_hand("nucleus", 1.5, 0.5, 0.5, 0.0), "cannot be"),
    (_hand("beam", 4, 0.5, 0.5, 0.0), "expected temperature, top-k"),
    ([0.5], "expected a dict"),
]
