"""Reference answers to the exercises of lesson 17. Try first: the check cells tell you what is missing."""

import numpy as np
from scipy import stats


def best_of_many(tries, rows, p):
    """All have at most k right with cdf ** tries; the differences are the chances of the best; then the mean."""
    right = np.arange(rows + 1)
    best_at_most = stats.binom.cdf(right, rows, p) ** tries
    return np.sum(right * np.diff(best_at_most, prepend=0)) / rows


def pair_interval(a, b):
    """Mean and spread of the differences, the spread of a mean being smaller by the root of n."""
    difference = np.asarray(a) - np.asarray(b)
    n = len(difference)
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    return difference.mean() - half, difference.mean() + half


def name_the_cheat(facts):
    """Whatever is certain first; another measure before better seeds, since both make the claim too good."""
    median = np.median(facts["errors"])
    if facts["looks"] > 0:
        return "sealed"
    if facts["scrambled"] < 0.95 * facts["nothing"]:
        return "leaks"
    if facts["baseline"] > 1.02 * facts["rival"]:
        return "opponent"
    if abs(facts["claimed"] - median) <= 0.001:
        return "honest"
    if any(abs(facts["claimed"] - value) <= 0.001 for value in facts["others"].values()):
        return "measure"
    return "seeds"


# 1.87 standard deviations of 0.3 / sqrt(rows) have to be at most 0.005: rows of at least (1.87 * 60) ** 2 = 12,590.
rows_needed = {"rows": 13_500, "predicted": 0.48, "measured": 0.48}
