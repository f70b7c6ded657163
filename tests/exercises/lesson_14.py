"""Typical wrong answers to the exercises of lesson 14, each with words that its feedback must contain."""

import numpy as np


def _whole_list(step, start, prompt, count):
    state, made = start, []
    for letter in prompt:
        logits, state = step(letter, state)
    while len(made) < count:
        made.append(int(np.argmax(logits)))
        logits, state = step(made[-1], state)
    return made


def _all_first(step, start, prompt, count):
    yield from _whole_list(step, start, prompt, count)


def _reads_again(step, start, prompt, count):
    text = list(prompt)
    for _ in range(count):
        state = start
        for letter in text:
            logits, state = step(letter, state)
        text.append(int(np.argmax(logits)))
        yield text[-1]


def _forgets(step, start, prompt, count):
    letter = prompt[-1]
    for _ in range(count):
        logits, _ = step(letter, start)
        letter = int(np.argmax(logits))
        yield letter


def _endless(step, start, prompt, count):
    state = start
    for letter in prompt:
        logits, state = step(letter, state)
    while True:
        letter = int(np.argmax(logits))
        yield letter
        logits, state = step(letter, state)


stream = [
    (_whole_list, "before the last is made"),
    (_all_first, "before the first letter came"),
    (_reads_again, "read nothing twice"),
    (_forgets, "the state of the one before"),
    (_endless, "does not end"),
]


def _scaled(matrix, largest, most, rounded=np.rint):
    scale = largest / most
    return rounded(matrix / scale).astype(int), scale


few_bits = [
    (lambda matrix, bits: _scaled(matrix, np.abs(matrix).max(), 2 ** (bits - 1) - 1), "one scale for all"),
    (lambda matrix, bits: _scaled(matrix, np.abs(matrix).max(axis=0), 2 ** (bits - 1)), "symmetric range ends at"),
    (lambda matrix, bits: _scaled(matrix, np.abs(matrix).max(axis=0), 2 ** (bits - 1) - 1, np.trunc), "you cut"),
    (lambda matrix, bits: _scaled(matrix, np.abs(matrix).max(axis=0), 2 ** (bits - 3)), "largest number"),
    (lambda matrix, bits: matrix.astype(np.int8), "expected two things"),
]


def _served(arrivals, work, scribes):
    free, done = np.zeros(scribes), []
    for arrival, effort in zip(arrivals, work, strict=True):
        first = free.argmin()
        free[first] = max(arrival, free[first]) + effort
        done.append(free[first])
    return np.array(done)


def _dealt_out(arrivals, work, scribes):
    free, latencies = np.zeros(scribes), []
    for i, (arrival, effort) in enumerate(zip(arrivals, work, strict=True)):
        free[i % scribes] = max(arrival, free[i % scribes]) + effort
        latencies.append(free[i % scribes] - arrival)
    return np.array(latencies)


waiting = [
    (lambda arrivals, work, scribes: work, "the work alone"),
    (lambda arrivals, work, scribes: _served(arrivals, work, scribes) - arrivals - work, "the waiting alone"),
    (_served, "subtract when they came"),
    (lambda arrivals, work, scribes: np.cumsum(work) - arrivals, "waits for a customer"),
    (lambda arrivals, work, scribes: _served(arrivals, work, 1) - arrivals, "only one of them works"),
    (_dealt_out, "in turn"),
    (lambda arrivals, work, scribes: (_served(arrivals, work, scribes) - arrivals)[1:], "expected 3 latencies"),
]


def _promised(load, p50, p99):
    return {"load": load, "predicted_p99": 1000, "p50": p50, "p99": p99}


promise = [
    (_promised(0.7, 210, 397), "as if nobody waited"),
    (_promised(0.9, 1030, 5700), "more than the 2200 promised"),
    (_promised(0.72, 415, 2100), "in steps of 5%"),
    (_promised(0.5, 305, 1160), "the highest load"),
    (_promised(0.7, 398, 1200), "divided by the load"),
    (_promised(70, 398, 1990), "expected a share"),
    ([0.7], "expected a dict"),
]
