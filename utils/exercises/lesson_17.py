"""What the answers to the exercises of lesson 17 must do."""

import numpy as np
from scipy import stats

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number


def _expected_best(tries: int, rows: int, p: float) -> float:
    """The expected share right of the best of so many guessers, exactly."""
    right = np.arange(rows + 1)
    at_most = stats.binom.cdf(right, rows, p) ** tries
    return float(np.sum(right * np.diff(at_most, prepend=0)) / rows)


@exercise("17 best of many")
def best_of_many(answer) -> None:
    """The expected maximum of binomial shares."""
    for tries, rows, p in ((1, 100, 0.5), (50, 600, 0.5), (20, 400, 0.9), (5, 10, 0.3)):
        got = number(call(answer, tries, rows, p), "the share")
        expected = _expected_best(tries, rows, p)
        where = f"for {tries} tries, {rows} rows and p = {p:g}"
        if abs(got - expected) < 2e-4:
            continue
        if abs(got - expected * rows) < 0.2:
            raise Wrong(f"{where} you return {got:.4g}, a number of rows; divide by {rows}.")
        if tries > 1 and abs(got - p) < 1e-6:
            raise Wrong(f"{where} you return {p:g}, what one of them is expected to have. The best has more.")
        if tries == 1:
            raise Wrong(f"{where} you return {got:.4g}; a single guesser is expected to have {p:g}.")
        if got > 1:
            raise Wrong(f"{where} you return {got:.4g}; a share cannot be above 1.")
        if abs(got - _expected_best(2, rows, p)) < 1e-3 and tries > 2:
            raise Wrong(f"{where} you return what the best of two has. All of them have at most k with cdf ** tries.")
        normal = p + np.sqrt(p * (1 - p) / rows) * stats.norm.ppf(1 - 1 / tries)
        if abs(got - normal) < 1e-3:
            raise Wrong(
                f"{where} you return {got:.4f}, the value that one in {tries} exceeds; the expected maximum is the sum "
                f"of k times the chance that the best has k, {expected:.4f}."
            )
        raise Wrong(
            f"{where} you return {got:.4f}, expected {expected:.4f}. All {tries} have at most k right with "
            "probability cdf(k) ** tries; its differences are the chances of the best."
        )


@exercise("17 pair interval")
def pair_interval(answer) -> None:
    """The t interval of paired differences."""
    rng = np.random.default_rng(17)
    common = rng.normal(size=8)
    for a, b in (
        (0.5 + common, 0.4 + common + 0.02 * rng.normal(size=8)),
        (np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 2.0])),
    ):
        low, high = array(call(answer, a.copy(), b.copy()), (2,), "the interval")
        n, difference = len(a), a - b
        expected = stats.ttest_rel(a, b).confidence_interval(0.95)
        middle, half = difference.mean(), (expected.high - expected.low) / 2
        where = f"for {n} pairs"
        if np.allclose([low, high], expected, atol=1e-6):
            continue
        if np.allclose([low, high], [expected.high, expected.low], atol=1e-6):
            raise Wrong(f"{where} the ends are in the wrong order; return (low, high).")
        if np.allclose([-high, -low], expected, atol=1e-6):
            raise Wrong(f"{where} you return the interval of b - a; expected that of a - b.")
        if not np.isclose((low + high) / 2, middle, atol=1e-6):
            raise Wrong(f"{where} its middle is {(low + high) / 2:.4g}; the mean of a - b is {middle:.4g}.")
        got = (high - low) / 2
        apart = stats.ttest_ind(a, b).confidence_interval(0.95)
        welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        if any(np.isclose(got, (other.high - other.low) / 2, rtol=0.02) for other in (apart, welch)):
            raise Wrong(f"{where} the interval is that of two groups. They are pairs: take the spread of the a - b.")
        if np.isclose(got, half * np.sqrt((n - 1) / n), rtol=1e-3):
            raise Wrong(f"{where} the spread is divided by n; of a sample it is n - 1: std(ddof=1).")
        if np.isclose(got, half * np.sqrt(n), rtol=1e-3):
            raise Wrong(f"{where} that is the spread of single differences; of their mean it is divided by sqrt(n).")
        if np.isclose(got, 1.96 * half / stats.t.ppf(0.975, n - 1), rtol=2e-2):
            raise Wrong(f"{where} the factor is 1.96; with {n} pairs take stats.t.ppf(0.975, {n - 1}).")
        raise Wrong(f"{where} it reaches {got:.4g} to either side of the mean; expected {half:.4g}.")


FACTS = {
    "looks": 0,
    "claimed": 0.612,
    "errors": [0.62, 0.612, 0.605, 0.63, 0.599],
    "scrambled": 1.02,
    "nothing": 1.0,
    "baseline": 0.7,
    "rival": 0.7,
    "others": {"RMSE": 1.93, "RMSE in deviations": 0.553},
}
CASES = [
    ({}, "honest"),
    ({"looks": 3}, "sealed"),
    ({"claimed": 0.599}, "seeds"),
    ({"claimed": 0.58}, "seeds"),
    ({"scrambled": 0.7}, "leaks"),
    ({"scrambled": 0.96}, "honest"),
    ({"baseline": 0.9}, "opponent"),
    ({"baseline": 0.71}, "honest"),
    ({"claimed": 0.553}, "measure"),
    ({"claimed": 1.93}, "measure"),
    ({"baseline": 0.5, "claimed": 0.6125}, "honest"),
]


@exercise("17 name the cheat")
def name_the_cheat(answer) -> None:
    """Which condition the facts break."""
    names = ("sealed", "seeds", "leaks", "opponent", "measure", "honest")
    for changes, expected in CASES:
        facts = FACTS | changes
        got = call(answer, {**facts, "errors": list(facts["errors"]), "others": dict(facts["others"])})
        if not isinstance(got, str) or got not in names:
            raise Wrong(f"expected one of {', '.join(names)}, got {got!r}.")
        if got == expected:
            continue
        shown = ", ".join(f"{name} {value}" for name, value in changes.items()) or "nothing unusual"
        median = float(np.median(facts["errors"]))
        reasons = {
            "honest": f"all of it is as it should be; the median of the five errors is {median:g}",
            "sealed": "somebody looked before handing in",
            "seeds": f"the claim is better than the median of the five, {median:g}, and is no other measure",
            "leaks": f"trained on targets of other rows it should know nothing, which costs {facts['nothing']:g}",
            "opponent": f"the baseline is worse than a plain rival, {facts['rival']:g}",
            "measure": "the claim is another measure of the same predictions; look through others first",
        }
        raise Wrong(f"with {shown} you say {got!r}, expected {expected!r}: {reasons[expected]}.")


@exercise("17 rows needed")
def rows_needed(answer) -> None:
    """At most half a percentage point, for at most 40,000 rows; measured near what is exact."""
    names = ("rows", "predicted", "measured")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    rows, predicted, measured = (number(answer[name], name) for name in names)
    if rows != int(rows) or not 1 <= rows <= 40_000:
        raise Wrong(f"rows is {rows:g}; expected a whole number from 1 to 40,000.")
    true = 100 * (_expected_best(20, int(rows), 0.9) - 0.9)
    if not 0 < predicted < 10:
        raise Wrong(f"predicted is {predicted:g}; expected percentage points above 90%, between 0 and 10.")
    if abs(measured - true) > max(0.03, 0.05 * true):
        if abs(measured - 90 - true) < 0.1:
            raise Wrong(f"measured is {measured:g}, the percentage itself; expected how far it is above 90.")
        if abs(100 * measured - true) < 0.1:
            raise Wrong(f"measured is {measured:g}, a share; expected percentage points, 100 times that.")
        raise Wrong(
            f"with {rows:g} rows the best of 20 looks {true:.2f} percentage points better, you measured {measured:g}. "
            "Draw rng.binomial(rows, 0.9, size=(2000, 20)), take the maximum of each 20, then the mean."
        )
    if true > 0.5:
        raise Wrong(
            f"{rows:g} rows: choosing still flatters by {true:.2f} percentage points, more than 0.5. It falls with the "
            f"root of the rows: a half takes four times as many."
        )
