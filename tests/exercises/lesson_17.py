"""Typical wrong answers to the exercises of lesson 17, each with words that its feedback must contain."""

import numpy as np
from scipy import stats


def _best(tries, rows, p):
    right = np.arange(rows + 1)
    return np.sum(right * np.diff(stats.binom.cdf(right, rows, p) ** tries, prepend=0)) / rows


best_of_many = [
    (lambda tries, rows, p: p, "what one of them is expected to have"),
    (lambda tries, rows, p: rows * _best(tries, rows, p), "divide by"),
    (lambda tries, rows, p: p * tries, "a share cannot be above 1"),
    (
        lambda tries, rows, p: p + np.sqrt(p * (1 - p) / rows) * (stats.norm.ppf(1 - 1 / tries) if tries > 1 else 0),
        "one in 50 exceeds",
    ),
    (lambda tries, rows, p: _best(min(tries, 2), rows, p), "the best of two"),
    (lambda tries, rows, p: 0.6, "a single guesser"),
]


def _interval(factor=None, ddof=1, root=True, paired=True, sign=1):
    def answer(a, b):
        n, difference = len(a), sign * (np.asarray(a) - np.asarray(b))
        spread = difference.std(ddof=ddof) if paired else np.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))
        half = (factor or stats.t.ppf(0.975, n - 1 if paired else 2 * n - 2)) * spread
        half /= np.sqrt(n) if root else 1
        return difference.mean() - half, difference.mean() + half

    return answer


pair_interval = [
    (_interval(paired=False), "They are pairs"),
    (_interval(factor=1.96), "the factor is 1.96"),
    (_interval(ddof=0), "n - 1"),
    (_interval(root=False), "sqrt(n)"),
    (_interval(sign=-1), "b - a"),
    (lambda a, b: (0.0, 0.0), "its middle"),
    (lambda a, b: _interval()(a, b)[::-1], "wrong order"),
]


def _named(*order, strict=False, only_minimum=False):
    def answer(facts):
        median = np.median(facts["errors"])
        off = abs(facts["claimed"] - median) > 0.001
        broken = {
            "sealed": facts["looks"] > 0,
            "leaks": facts["scrambled"] < (1.0 if strict else 0.95) * facts["nothing"],
            "opponent": facts["baseline"] > (1.0 if strict else 1.02) * facts["rival"],
            "measure": off and any(abs(facts["claimed"] - v) <= 0.001 for v in facts["others"].values()),
            "seeds": facts["claimed"] == min(facts["errors"]) if only_minimum else off,
        }
        return next((name for name in order if broken[name]), "honest")

    return answer


name_the_cheat = [
    (_named("sealed", "leaks", "opponent", "seeds", "measure"), "look through others first"),
    (_named("leaks", "opponent", "measure", "seeds"), "somebody looked"),
    (_named("sealed", "opponent", "measure", "seeds"), "it should know nothing"),
    (_named("sealed", "leaks", "measure", "seeds"), "a plain rival"),
    (_named("sealed", "leaks", "opponent", "measure", "seeds", strict=True), "as it should be"),
    (_named("sealed", "leaks", "opponent", "measure", "seeds", only_minimum=True), "better than the median"),
    (lambda facts: True, "expected one of"),
]


def _rows(rows, predicted, measured):
    return {"rows": rows, "predicted": predicted, "measured": measured}


rows_needed = [
    (_rows(3000, 1.0, 1.01), "four times as many"),
    (_rows(13_500, 0.5, 90.48), "the percentage itself"),
    (_rows(13_500, 0.5, 0.0048), "a share"),
    (_rows(13_500, 0.5, 0.26), "take the maximum of each 20"),
    (_rows(1_000_000, 0.1, 0.06), "a whole number from 1 to 40,000"),
    (_rows(13_500, 90.5, 0.48), "percentage points above 90%"),
    ([13_500], "expected a dict"),
]
