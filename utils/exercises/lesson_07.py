"""What the answers to the exercises of lesson 07 must do."""

import math

import numpy as np

from utils.exercises import NotAttempted, Wrong, call, exercise, number


@exercise("07 diverged")
def diverged_at_the_end(answer) -> None:
    """The last loss is not finite, or above twice the baseline."""
    cases = [
        ([0.3, 0.2, 0.1], False, "training went well"),
        ([0.2, 0.5, 0.9], True, "the last loss is more than twice the baseline"),
        ([0.2, 5.0, 0.15], False, "the loss jumped, but came back"),
        ([0.2, 0.4, math.nan], True, "the last loss is NaN"),
        ([0.2, 0.4, math.inf], True, "the last loss is infinite"),
        ([0.4, 0.3, 0.3], False, "the last loss is below twice the baseline"),
    ]
    for losses, expected, what in cases:
        got = call(answer, list(losses), 1 / 6)
        if not isinstance(got, bool | np.bool_):
            tilde = " Put not in front of a comparison, not ~." if isinstance(got, int) and got < 0 else ""
            raise Wrong(f"expected True or False, got {got!r}.{tilde}")
        if bool(got) == expected:
            continue
        where = f"for losses {losses} and a baseline of 1/6 you return {bool(got)}"
        if math.isnan(losses[-1]):
            raise Wrong(f"{where}: NaN is neither above nor below anything, so every comparison with it is False.")
        if losses[1] == 5.0:
            raise Wrong(f"{where}; {what}. Look at the end of training, not at its worst moment.")
        raise Wrong(f"{where}; {what}.")


@exercise("07 largest step")
def largest_step(answer) -> None:
    """Limit x 1, x sqrt(variables), x sqrt(numbers)."""
    for shapes, limit in [([(4, 4), (4,)], 1.0), ([(2, 64), (16, 64), (64,), (16, 1), (1,)], 0.5), ([(9,)], 2.0)]:
        numbers = sum(math.prod(shape) for shape in shapes)
        factors = {"global_clipnorm": 1.0, "clipnorm": math.sqrt(len(shapes)), "clipvalue": math.sqrt(numbers)}
        for kind, factor in factors.items():
            got = number(call(answer, kind, list(shapes), limit), "the largest norm")
            if math.isclose(got, limit * factor, rel_tol=1e-6):
                continue
            where = f"for {kind}={limit} and variables of shapes {shapes} you return {got:.4g}"
            if kind != "global_clipnorm" and math.isclose(got, limit, rel_tol=1e-6):
                one = "number" if kind == "clipvalue" else "variable"
                raise Wrong(f"{where}: that is the limit of one {one}. How long can all of them be together?")
            if math.isclose(got, limit * factor**2, rel_tol=1e-6):
                raise Wrong(f"{where}: norms do not add up, their squares do. Take the square root.")
            if math.isclose(got, factor, rel_tol=1e-6):
                raise Wrong(f"{where}: right for a limit of 1. The step grows with the limit.")
            if kind == "clipvalue" and math.isclose(got, limit * math.sqrt(len(shapes)), rel_tol=1e-6):
                raise Wrong(f"{where}: clipvalue limits each number, not each variable. Count the numbers.")
            if math.isclose(got, math.sqrt(limit) * factor, rel_tol=1e-6):
                raise Wrong(f"{where}: the limit stands inside the root. Multiply the root by it.")
            if kind == "clipvalue" and math.isclose(got, limit * math.sqrt(sum(map(sum, shapes))), rel_tol=1e-6):
                raise Wrong(f"{where}: an array of shape (2, 64) holds 128 numbers, not 66. Multiply.")
            raise Wrong(f"{where}, expected {limit * factor:.4g}.")


@exercise("07 wrong winner")
def wrong_winner(answer) -> None:
    """Share of pairs that name the model with the higher median; a tie counts half."""
    cases = [
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]),
        ([0.4, 0.5, 0.6], [0.1, 0.2, 0.55]),
        ([0.1, 0.1, 0.65, 0.66, 0.67], [0.5, 0.6, 0.7]),  # the means name the other one
        ([0.2, 0.2, 0.4], [0.2, 0.3, 0.5, 0.6]),
    ]
    for a, b in cases:
        first, second = np.array(a), np.array(b)
        if np.median(second) < np.median(first):
            first, second = second, first  # first is the winner: the lower median
        ties = np.mean(first[:, None] == second) / 2
        expected = np.mean(first[:, None] > second) + ties
        got = number(call(answer, list(a), list(b)), "the share")
        if math.isclose(got, expected, abs_tol=1e-9):
            continue
        where = f"for errors {a} and {b} you return {got:.4g}"
        n = min(len(a), len(b))
        paired = np.mean(first[:n] > second[:n]) + np.mean(first[:n] == second[:n]) / 2
        if not 0 <= got <= 1:
            raise Wrong(f"{where}; expected a share between 0 and 1.")
        means = np.mean(a) < np.mean(b), np.median(a) < np.median(b)
        if means[0] != means[1] and math.isclose(got, 1 - expected, abs_tol=1e-9):
            raise Wrong(
                f"{where}: the loser by medians wins {expected:.0%} of the pairs here. Compare medians, not means, and "
                "count its pairs even where they are more than half."
            )
        if math.isclose(got, 1 - expected, abs_tol=1e-9):
            raise Wrong(f"{where}: the share of pairs that name the **right** winner (lower error is better).")
        if ties and (math.isclose(got, expected - ties) or math.isclose(got, expected + ties)):
            raise Wrong(f"{where}: right but for ties. A pair of equal errors counts half.")
        if math.isclose(got, paired, abs_tol=1e-9):
            raise Wrong(
                f"{where}: you compared seed 0 with seed 0, and so on. Any run of one may meet any of the other."
            )
        raise Wrong(f"{where}, expected {expected:.4g}: of all {len(a)} x {len(b)} pairs those that name the loser.")


def _named_wrong(runs: int, average=np.median, draws: int = 50_000) -> float:
    """Share of comparisons of so many runs each that name B: errors 0.018 higher, with a deviation of 0.02."""
    rng = np.random.default_rng(7)
    a, b = (average(rng.normal(mean, 0.02, (draws, runs)), axis=1) for mean in (0.9, 0.918))
    return float(np.mean(b < a))


@exercise("07 enough runs")
def enough_runs(answer) -> None:
    """Ten runs of each: 4 in 100 comparisons of medians name the wrong model, with nine 6 in 100."""
    if not isinstance(answer, dict) or not {"runs", "predicted", "measured"} <= set(answer):
        raise Wrong("expected a dict with the keys runs, predicted and measured, as in the stub.")
    if any(answer[key] is ... or answer[key] is None for key in ("runs", "predicted", "measured")):
        raise NotAttempted
    runs = number(answer["runs"], "runs")
    if runs != int(runs) or not 1 <= runs <= 500:
        raise Wrong(f"runs is {runs:g}; expected a whole number from 1 to 500.")
    runs = int(runs)
    predicted, measured = (number(answer[key], key) for key in ("predicted", "measured"))
    for name, value in (("predicted", predicted), ("measured", measured)):
        if not 0 <= value <= 1:
            raise Wrong(f"{name} is {value:g}; expected a share between 0 and 1.")
    truth = _named_wrong(runs)
    if abs(measured - truth) > 0.008:
        where = f"with {runs} runs of each you measured {measured:.3f}"
        if abs(measured - _named_wrong(1)) <= 0.008:
            raise Wrong(f"{where}: that is one run of each. Draw {runs} runs of each and compare their medians.")
        if abs(measured - (1 - truth)) <= 0.008:
            raise Wrong(f"{where}: the share that names the right model. B is named when its median is the lower one.")
        if abs(measured - _named_wrong(runs, np.mean)) <= 0.005:
            raise Wrong(f"{where}: that is what means give. Compare medians.")
        raise Wrong(f"{where}, expected about {truth:.2f}: draw both models anew each time, 20,000 times.")
    if truth > 0.05:
        raise Wrong(f"with {runs} runs of each still {truth:.1%} of comparisons name the wrong model: choose more.")
    if _named_wrong(max(1, runs - 1)) <= 0.05:
        raise Wrong(f"{runs} runs of each are enough, but fewer do: choose the smallest number.")


@exercise("07 variance share")
def variance_share(answer) -> None:
    """Sum of squares between groups over the total."""
    cases = [
        (["low", "low", "high", "high"], [1.0, 1.0, 3.0, 3.0]),
        ([8, 8, 16, 16], [1.0, 3.0, 1.0, 3.0]),
        ([8, 8, 8, 8, 16], [0.0, 1.0, 2.0, 1.0, 6.0]),
    ]
    for groups, values in cases:
        v, g = np.array(values), np.array(groups)
        means = {level: v[g == level].mean() for level in set(groups)}
        between = np.array([means[level] for level in groups])
        total = np.sum((v - v.mean()) ** 2)
        expected = np.sum((between - v.mean()) ** 2) / total
        got = number(call(answer, list(groups), list(values)), "the share")
        if math.isclose(got, expected, abs_tol=1e-9):
            continue
        where = f"for groups {groups} and values {values} you return {got:.4g}"
        if math.isclose(got, 1 - expected, abs_tol=1e-9):
            raise Wrong(f"{where}: the share **within** groups, which the setting does not explain.")
        if math.isclose(got, np.var(list(means.values())) / v.var(), abs_tol=1e-9):
            raise Wrong(f"{where}: a group of one value counts as much as a group of four. Weight the groups by size.")
        if math.isclose(got, math.sqrt(expected), abs_tol=1e-9):
            raise Wrong(f"{where}: a ratio of standard deviations. Variances add up, standard deviations do not.")
        if math.isclose(got, expected * total) or math.isclose(got, expected * v.var()):
            raise Wrong(f"{where}: the explained part itself. Divide it by the whole.")
        raise Wrong(
            f"{where}, expected {expected:.4g}: squares of (group mean - mean), over squares of (value - mean)."
        )
