"""Typical wrong answers to the exercises of lesson 03, each with words that its feedback must contain."""

import numpy as np

BLOCKS = {"LSTM": 4, "GRU": 3}


def _counter(a, b, bias=(0, 0, 0, 0)):
    return lambda: (np.array([a, b], dtype=float), np.zeros((1, 4)), np.array(bias, dtype=float))


multiplications = [
    (lambda cell, d, h: BLOCKS[cell] * h * (d + h + 1), "number of parameters"),
    (lambda cell, d, h: BLOCKS[cell] * h * h, "inputs are multiplied as well"),
    (lambda cell, d, h: h * (d + h), "that is 1 of the LSTM's 4 blocks"),
    (lambda cell, d, h: 4 * h * (d + h), "that is 4 of the GRU's 3 blocks"),
    (lambda cell, d, h: (BLOCKS[cell] - 1) * h * (d + h), "Count its gates and candidate"),
    (lambda cell, d, h: BLOCKS[cell] * h * d, "state is multiplied as well"),
    (lambda cell, d, h: BLOCKS[cell] * (d + h), "into each of its units"),
    (lambda cell, d, h: "many", "should be a number"),
]

steps_in_same_time = [
    (lambda n, lstm, gru: int(n * gru / lstm), "upside down"),
    (lambda n, lstm, gru: n * lstm / gru, "Round down"),
    (lambda n, lstm, gru: int(np.ceil(n * lstm / gru)), "Round down"),
    (lambda n, lstm, gru: n, "equal steps, not equal time"),
]

superiority = [
    (lambda a, b: np.mean(np.greater.outer(a, b)) + np.mean(np.equal.outer(a, b)) / 2, "not larger"),
    (lambda a, b: np.mean(np.less.outer(a, b)), "a tie counts half"),
    (lambda a, b: float(np.mean(a) < np.mean(b)), "one summary of A"),
    (lambda a, b: np.median(a) < np.median(b), "yes or no"),
    (lambda a, b: np.mean([x < y for x, y in zip(a, b, strict=False)]), "equal positions only"),
    (lambda a, b: sum(x < y for x in a for y in b), "divide by the number of pairs"),
]

counter_with_reset = [
    (_counter([30, 30, 30, 30], [30, 30, -30, 30]), "your b subtracts 1"),
    (_counter([30, 30, 30, 30], [30, 30, 0, 30]), "a b is ignored"),
    (_counter([30, 1, 30, 30], [-30, -30, 0, 30]), "something is lost"),
    (_counter([30, 30, 1, 30], [-30, -30, 0, 30]), "saturate the candidate"),
    (_counter([10, 10, 10, 10], [-10, -10, 0, 10]), "make all gates sharper"),
    (_counter([30, 30, 30, 30], [30, -30, 30, 30]), "b itself has been written"),
    (lambda: np.zeros((2, 4)), "three arrays"),
    (lambda: (np.zeros((4, 2)), np.zeros((1, 4)), np.zeros(4)), "should have shape"),
]
