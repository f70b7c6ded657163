"""Typical wrong answers to the exercises of lesson 07, each with words that its feedback must contain."""

import math

import numpy as np


def _count(shapes):
    return sum(math.prod(shape) for shape in shapes)


def _pairs(a, b, compare):
    winner, loser = sorted([np.array(a), np.array(b)], key=np.median)
    return np.mean(compare(winner[:, None], loser))


def _seed_by_seed(a, b):
    winner, loser = sorted([np.array(a), np.array(b)], key=np.median)
    n = min(len(a), len(b))
    return np.mean(winner[:n] > loser[:n]) + np.mean(winner[:n] == loser[:n]) / 2


def _by_means(a, b):
    winner, loser = sorted([np.array(a), np.array(b)], key=np.mean)
    return np.mean(winner[:, None] > loser) + np.mean(winner[:, None] == loser) / 2


def _medians(runs, average=np.median):
    rng = np.random.default_rng(1)
    a, b = (average(rng.normal(mean, 0.02, (50_000, runs)), axis=1) for mean in (0.9, 0.918))
    return np.mean(b < a)


def _share(groups, values, of=lambda explained, total: explained / total):
    groups, values = np.array(groups), np.array(values)
    means = np.array([values[groups == group].mean() for group in groups])
    return of(means.var(), values.var())


def _unweighted(groups, values):
    groups, values = np.array(groups), np.array(values)
    return np.var([values[groups == group].mean() for group in set(groups.tolist())]) / values.var()


diverged_at_the_end = [
    (lambda losses, baseline: losses[-1] > 2 * baseline, "every comparison with it is False"),
    (lambda losses, baseline: not max(losses) <= 2 * baseline, "not at its worst moment"),
    (lambda losses, baseline: not np.isfinite(losses[-1]), "more than twice"),
    (lambda losses, baseline: not losses[-1] <= baseline, "below twice"),
    (lambda losses, baseline: losses[-1], "True or False"),
    (lambda losses, baseline: ~(losses[-1] <= 2 * baseline), "not ~"),
]

largest_step = [
    (lambda kind, shapes, limit: limit, "that is the limit of one"),
    (
        lambda kind, shapes, limit: (
            limit * {"global_clipnorm": 1, "clipnorm": len(shapes), "clipvalue": _count(shapes)}[kind]
        ),
        "their squares do",
    ),
    (
        lambda kind, shapes, limit: {
            "global_clipnorm": 1,
            "clipnorm": len(shapes) ** 0.5,
            "clipvalue": _count(shapes) ** 0.5,
        }[kind],
        "right for a limit of 1",
    ),
    (
        lambda kind, shapes, limit: limit * (1 if kind == "global_clipnorm" else len(shapes) ** 0.5),
        "Count the numbers",
    ),
    (
        lambda kind, shapes, limit: (
            limit * {"global_clipnorm": 1, "clipnorm": len(shapes), "clipvalue": sum(map(sum, shapes))}[kind] ** 0.5
        ),
        "holds 128 numbers",
    ),
    (
        lambda kind, shapes, limit: (
            limit
            if kind == "global_clipnorm"
            else (limit * {"clipnorm": len(shapes), "clipvalue": _count(shapes)}[kind]) ** 0.5
        ),
        "inside the root",
    ),
]

wrong_winner = [
    (lambda a, b: 1 - _pairs(a, b, np.greater), "**right** winner"),
    (_seed_by_seed, "seed 0 with seed 0"),
    (_by_means, "Compare medians, not means"),
    (lambda a, b: min(_by_means(a, b), 1 - _by_means(a, b)), "more than half"),
    (lambda a, b: _pairs(a, b, np.greater), "counts half"),
    (lambda a, b: _pairs(a, b, np.greater_equal), "counts half"),
    (lambda a, b: 100 * _pairs(a, b, np.greater) + 50, "between 0 and 1"),
]

enough_runs = [
    ({"runs": 5, "predicted": 0.05, "measured": _medians(5)}, "choose more"),
    ({"runs": 30, "predicted": 0.05, "measured": _medians(30)}, "fewer do"),
    ({"runs": 11, "predicted": 0.05, "measured": _medians(11)}, "fewer do"),
    ({"runs": 10, "predicted": 0.05, "measured": _medians(10, np.mean)}, "Compare medians"),
    ({"runs": 10, "predicted": 0.05, "measured": _medians(1)}, "one run of each"),
    ({"runs": 10, "predicted": 0.05, "measured": 1 - _medians(10)}, "the right model"),
    ({"runs": 10, "predicted": 5, "measured": _medians(10)}, "between 0 and 1"),
    ({"runs": 9.5, "predicted": 0.05, "measured": 0.05}, "whole number"),
    ({"runs": 10, "predicted": 0.05}, "the keys"),
]

variance_share = [
    (lambda groups, values: 1 - _share(groups, values), "**within** groups"),
    (_unweighted, "Weight the groups by size"),
    (
        lambda groups, values: _share(groups, values, lambda explained, total: (explained / total) ** 0.5),
        "standard deviations do not",
    ),
    (lambda groups, values: _share(groups, values, lambda explained, total: explained + 0 * total), "by the whole"),
]
