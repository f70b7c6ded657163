"""Typical wrong answers to the exercises of lesson 06, each with words that its feedback must contain."""

import numpy as np

neighbour = [
    ({"method": "LSTM", "predicted": 0.8, "measured": 0.8}, "expected one of no change"),
    ({"method": "no change", "predicted": 1.0, "measured": 1.0}, "another one in the drawer does clearly better"),
    ({"method": "usual month", "predicted": 0.5, "measured": 1.4}, "Is the value you forecast from three months"),
    ({"method": "ruler", "predicted": -1, "measured": 0.6}, "expected an error over that of no change"),
    ("usual month", "expected a dict"),
]


def _with_empty_pieces(frames, count):
    return np.concatenate([part.mean(axis=0) for part in np.array_split(frames, count)])


def _bands_first(frames, count):
    return np.array([part.mean(axis=0) for part in np.array_split(frames, count)]).T.ravel()


pieces = [
    (_with_empty_pieces, "your row holds NaN"),
    (_bands_first, "their order is not"),
    (lambda frames, count: np.tile(frames.mean(axis=0), count), "cut first, then take means"),
    (lambda frames, count: frames[:count].ravel(), "the mean over the frames of the first piece"),
    (lambda frames, count: frames.mean(axis=0), "should have shape"),
]


def _f1(labels, alarms):
    return 2 * np.sum(labels & alarms) / max(np.sum(labels) + np.sum(alarms), 1)


f1 = [
    (lambda labels, alarms, adjust: _f1(labels, alarms), "the adjustment changes nothing"),
    (lambda labels, alarms, adjust: _f1(labels, alarms | (labels if adjust else False)), "you return 1.000"),
    (lambda labels, alarms, adjust: np.mean(labels == alarms), "F1 is 2 * hits"),
]

shortest = [
    (len, "of equal neighbours only one is kept"),
    (lambda digits: 2 * len(digits) - 1, "only between equal digits"),
    (lambda digits: 2 * len(digits) + 1, "expected 3"),
]
