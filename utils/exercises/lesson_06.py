"""What the answers to the exercises of lesson 06 must do."""

from itertools import pairwise

import numpy as np

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number

METHODS = ("no change", "last year", "usual month", "ruler")


def _el_nino_errors() -> dict[str, float]:
    """Error of each method over that of no change, on the last 120 months of the sea temperature off Peru."""
    from statsmodels.datasets import elnino  # here: a lesson's other checks need no statsmodels

    series = elnino.load_pandas().data.set_index("YEAR").to_numpy(dtype=float).ravel()
    ahead, window, test = 3, 24, 120
    targets = np.arange(len(series) - test, len(series))
    past = np.arange(window + ahead - 1, len(series) - test)

    def rows(places):
        return np.array([[1, *series[i - ahead - window + 1 : i - ahead + 1]] for i in places])

    weights = np.linalg.lstsq(rows(past), series[past], rcond=None)[0]
    usual = series[: len(series) - test].reshape(-1, 12).mean(axis=0)
    forecasts = {
        "no change": series[targets - ahead],
        "last year": series[targets - 12],
        "usual month": usual[targets % 12],
        "ruler": rows(targets) @ weights,
    }
    errors = {name: np.sqrt(np.mean((series[targets] - said) ** 2)) for name, said in forecasts.items()}
    return {name: float(error / errors["no change"]) for name, error in errors.items()}


@exercise("06 neighbour")
def neighbour(answer) -> None:
    """The method is within a tenth of the best one, and the error is the one it has."""
    names = ("method", "predicted", "measured")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    method = answer["method"]
    if method not in METHODS:
        raise Wrong(f"method is {method!r}; expected one of {', '.join(METHODS)}.")
    predicted, measured = (number(answer[name], name) for name in names[1:])
    if not 0 < predicted < 10:
        raise Wrong(f"predicted is {predicted:g}; expected an error over that of no change, such as 0.8 or 1.2.")
    errors = _el_nino_errors()
    if abs(measured - errors[method]) > 0.03:
        raise Wrong(
            f"{method!r} has {errors[method]:.2f} times the error of no change on the last 120 months, you measured "
            f"{measured:.2f}. Is the value you forecast from three months before the one it is compared with?"
        )
    best = min(errors, key=errors.get)
    if errors[method] > 1.1 * errors[best]:
        raise Wrong(
            f"measured right: {method!r} has {measured:.2f} times the error of no change. But another one in the "
            "drawer does clearly better. What repeats itself in this sea?"
        )


@exercise("06 pieces")
def pieces(answer) -> None:
    """Means of equal pieces, and no empty ones."""
    rng = np.random.default_rng(0)
    for frames, count in ((12, 4), (13, 4), (40, 8), (5, 5), (3, 4)):
        sound = rng.normal(size=(frames, 2))
        got = call(answer, sound.copy(), count)
        if frames < count:
            if not np.isfinite(np.asarray(got, dtype=float)).all():
                raise Wrong(
                    f"a sound of {frames} frames has no {count} pieces that all hold a frame: your row holds NaN. "
                    "Repeat each frame `count` times first; that changes no mean."
                )
            array(got, (2 * count,), f"the row of a sound of {frames} frames")
            continue
        got = array(got, (2 * count,), f"the row of a sound of {frames} frames of 2 bands, cut in {count}")
        repeated = np.repeat(sound, count, axis=0)
        expected = [
            np.concatenate([part.mean(axis=0) for part in np.array_split(of, count)]) for of in (sound, repeated)
        ]
        if min(np.abs(got - row).max() for row in expected) < 1e-6:
            continue
        if np.abs(got - expected[0].reshape(count, 2).T.ravel()).max() < 1e-6:
            raise Wrong("the numbers are right, their order is not: first both bands of piece 1, then of piece 2.")
        if np.allclose(got.reshape(count, 2), sound.mean(axis=0)):
            raise Wrong("every piece has the mean of the whole sound; cut first, then take means.")
        raise Wrong(
            f"for {frames} frames in {count} pieces you begin with {got[:2].round(2).tolist()}, expected "
            f"{expected[0][:2].round(2).tolist()}: the mean over the frames of the first piece."
        )


@exercise("06 f1")
def f1(answer) -> None:
    """F1 of alarms, with and without the adjustment."""
    for labels, alarms, adjust, expected in (
        ("00111000", "00100000", False, 0.5),
        ("00111000", "00100000", True, 1.0),
        ("00111000", "10100000", True, 6 / 7),
        ("01100110", "01000000", True, 2 / 3),
        ("01100110", "11000011", False, 0.5),
        ("01100110", "11000011", True, 0.8),
        ("00110000", "00000000", True, 0.0),
    ):
        given = [np.array([c == "1" for c in text]) for text in (labels, alarms)]
        got = number(call(answer, *given, adjust), "F1")
        if abs(got - expected) < 1e-9:
            continue
        where = f"for labels {labels}, alarms {alarms}, adjust={adjust} you return {got:.3f}, expected {expected:.3f}"
        if adjust and abs(got - number(call(answer, *given, False), "F1")) < 1e-9:
            raise Wrong(f"{where}: the adjustment changes nothing. One alarm inside an anomaly fills it whole.")
        if expected == 0:
            raise Wrong(f"{where}: no alarm at all has an F1 of 0.")
        raise Wrong(f"{where}. F1 is 2 * hits / (alarms + abnormal points).")


@exercise("06 shortest")
def shortest(answer) -> None:
    """As many steps as digits, and one more for each that equals the one before."""
    for digits in ([9, 4, 2], [7, 7], [4, 4, 2], [5], [1, 1, 1], [3, 8, 3]):
        got = number(call(answer, list(digits)), "the number of steps")
        equal = sum(a == b for a, b in pairwise(digits))
        if got == len(digits) + equal:
            continue
        if got == len(digits):
            raise Wrong(
                f"{digits} cannot be said in {got:g} steps: the path {' '.join(map(str, digits))} is read as fewer "
                "digits, since of equal neighbours only one is kept."
            )
        if got == 2 * len(digits) - 1:
            raise Wrong(f"{digits} needs fewer than {got:g} steps: a blank is needed only between equal digits.")
        raise Wrong(f"for {digits} you return {got:g}, expected {len(digits) + equal}.")
