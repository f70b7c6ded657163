"""Typical wrong answers to the exercises of lesson 05, each with words that its feedback must contain."""

import math
import os

import numpy as np


def _blocks_in_turn(series, rows, length):
    blocks = len(series) // rows // length
    return series[: blocks * rows * length].reshape(blocks, rows, length)


def _shorter_parts(series, rows, length):
    blocks = len(series) // rows // length
    return series[: blocks * rows * length].reshape(rows, blocks, length).swapaxes(0, 1)


def _rows_first(series, rows, length):
    return _shorter_parts(series, rows, length).swapaxes(0, 1)


def _rate(warm=True, start=None, span=None, straight=False):
    def rate(step, peak, warmup, total):
        if warm and step < warmup:
            return peak * step / warmup
        first, length = (warmup if start is None else start), (total - warmup if span is None else total)
        done = (step - first) / (total if start == 0 else length)
        return peak * (1 - done) if straight else peak * (1 + math.cos(math.pi * done)) / 2

    return rate


def _straight_into_the_file(path, parts):
    with path.open("w") as file:
        for part in parts:
            file.write(part)
    return path


def _collected_first(path, parts):
    path.write_text("".join(parts))
    return path


def _behind_the_old(path, parts):
    with path.open("a") as file:
        file.writelines(parts)
    return path


def _deleted_first(path, parts):
    path.unlink()
    unfinished = path.with_suffix(".part")
    with unfinished.open("w") as file:
        file.writelines(parts)
    os.replace(unfinished, path)
    return path


def _swallowed(path, parts):
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("w") as file:
            file.writelines(parts)
    except ConnectionError:
        return path
    os.replace(unfinished, path)
    return path


def _never_moved(path, parts):
    path.unlink()
    path.with_suffix(".part").write_text("".join(parts))
    return path


def _returns_nothing(path, parts):
    _straight_into_the_file(path, parts)


def _last(steps, w, seen):
    """Powers of w for the last so many readings."""
    return np.where(np.arange(steps) >= steps - seen, w ** np.arange(steps - 1, -1, -1.0), 0.0)


contiguous = [
    (_blocks_in_turn, "does not go on where it ended"),
    (_shorter_parts, "Leave out what is too much at the end of each part"),
    (_rows_first, "should have shape (4, 2, 3), got (2, 4, 3)"),
    (lambda series, rows, length: np.zeros((len(series) // rows // length, rows, length)), "is 0, expected 100"),
]

what_the_cut_leaves = [
    (lambda steps, w, cut: w ** np.arange(steps - 1, -1, -1.0), "as if nothing were cut"),
    (lambda steps, w, cut: _last(steps, w, min(cut, steps)), "The cuts stand at fixed steps"),
    (lambda steps, w, cut: _last(steps, w, steps - (steps - 1) // cut * cut)[::-1], "turned round"),
    (lambda steps, w, cut: _last(steps, w, steps % cut), "nothing is left"),
    (lambda steps, w, cut: np.ones(steps), "expected 0"),
]

average = [
    (lambda gradients, sizes: np.mean(gradients, axis=0), "as if they were equal"),
    (lambda gradients, sizes: np.sum(gradients, axis=0), "already a mean over its own share"),
    (lambda gradients, sizes: np.transpose(gradients) @ sizes, "divide by all rows together, 8"),
    (lambda gradients, sizes: np.transpose(gradients) @ sizes / len(sizes), "divide by all rows together"),
    (lambda gradients, sizes: gradients[0], "expected"),
]

learning_rate = [
    (_rate(warm=False, start=0), "there is no warm-up"),
    (_rate(start=0), "should begin when the warm-up ends"),
    (_rate(span=1), "has 100 steps to come down, not 110"),
    (_rate(straight=True), "a straight line down"),
    (lambda step, peak, warmup, total: 2 * peak, "expected 0"),
]

save = [
    (_straight_into_the_file, "Write to another file first"),
    (_collected_first, "a machine that dies in the middle"),
    (_behind_the_old, "Begin a new file"),
    (_deleted_first, "the old file is gone"),
    (_swallowed, "swallowed it"),
    (_returns_nothing, "returns nothing"),
    (_never_moved, "there is no file at the path"),
]
