"""What the answers to the exercises of lesson 01 must do."""

import numpy as np
from sklearn.metrics import mean_absolute_error as mae
from sklearn.metrics import root_mean_squared_error as rmse

from utils.datasets.climate import load_sunspots
from utils.datasets.windows import chronological_split, split_windows
from utils.evaluation import baselines
from utils.exercises import NotAttempted, Wrong, call, exercise, number


@exercise("01 matched units")
def matched_units(answer) -> None:
    """The largest LSTM that has no more parameters than a GRU."""

    def lstm(features, units):
        return 4 * units * (features + units + 1)

    for features, gru_units in [(1, 16), (8, 32), (3, 100)]:
        budget = 3 * gru_units * (features + gru_units + 2)
        expected = max(units for units in range(1, gru_units + 1) if lstm(features, units) <= budget)
        got = number(call(answer, features, gru_units), "the number of units")
        where = f"for {features} features and a GRU of {gru_units} units"
        if got != int(got):
            raise Wrong(f"{where} you return {got:.2f}; a layer has a whole number of units, so round down.")
        if got > expected:
            over = lstm(features, int(got)) - budget
            raise Wrong(
                f"{where} you return {got:.0f}, but an LSTM of that size has {over} parameters more than the GRU. "
                "Count both with the formulas, and mind the second bias of the GRU."
            )
        if got < expected:
            one_bias = 3 * gru_units * (features + gru_units + 1)
            hints = {
                int(0.75 * gru_units): " Three quarters of the units is too few: parameters grow with their square.",
                max(u for u in range(1, gru_units + 1) if lstm(features, u) <= one_bias): " Did you count the second "
                "bias of the GRU?",
            }
            raise Wrong(
                f"{where} you return {got:.0f}, but an LSTM of {expected} units still fits into {budget} parameters."
                + hints.get(int(got), "")
            )


@exercise("01 forget bias")
def forget_bias(answer) -> None:
    """The bias at which a cell state has halved after a given number of steps."""
    for half_life in (1.0, 10.0, 100.0):
        bias = number(call(answer, half_life), "the bias")
        gate = 1 / (1 + np.exp(-bias))
        left = gate**half_life
        if np.isclose(bias, 0.5 ** (1 / half_life)):
            raise Wrong(
                f"for a half-life of {half_life:g} you return {bias:.4g}, which is the value of the gate. The bias is "
                "what goes into the sigmoid to get it: invert the sigmoid."
            )
        if np.isclose(gate, 1 - 0.5 ** (1 / half_life)) and not np.isclose(left, 0.5):
            raise Wrong(
                f"for a half-life of {half_life:g} you return {bias:.4g}; its sign is turned round. A gate near 1 "
                "keeps, so a long memory needs a positive bias."
            )
        if not np.isclose(left, 0.5, rtol=1e-3):
            raise Wrong(
                f"for a half-life of {half_life:g} steps you return {bias:.4g}. Then the gate is {gate:.4f}, and "
                f"{left:.3f} of the state is left after {half_life:g} steps instead of 0.5."
            )


@exercise("01 relative error")
def relative_rmse(answer) -> None:
    """RMSE of a forecast, divided by that of persistence."""
    rng = np.random.default_rng(1)
    series = 100 + np.cumsum(rng.normal(size=60))
    history, test = series[:40], series[40:]
    forecast = test + rng.normal(scale=0.5, size=20)
    error = rmse(test, forecast)
    expected = error / rmse(test, baselines.persistence(history, test))
    got = number(call(answer, history, test, forecast), "the ratio")
    steps_inside = rmse(test[1:], test[:-1])
    first_day = "Persistence has a forecast for the first test day too: the last day of the history."
    hints = {
        expected**2: "that is the ratio of the mean squared errors; take the root of both.",
        1 / expected: "you divided the wrong way round: below 1 must mean that the forecast beats persistence.",
        error / rmse(test, np.full(20, history.mean())): "you compared with the mean of the history. "
        "Persistence says: tomorrow equals today.",
        error / rmse(test, np.roll(test, 1)): "np.roll puts the last test value in front of the first. The "
        "forecast of the first test day is the last day of the history.",
        error / rmse(test, np.full(20, history[-1])): "you forecast every day by the last day of the history. "
        "Each evening today's price is known, so the forecast moves on by a day each day.",
        rmse(test[1:], forecast[1:]) / steps_inside: f"you left out the first test day. {first_day}",
        error
        / steps_inside: f"the error of the forecast is over all days, that of persistence over one less. {first_day}",
        mae(test, forecast) / mae(test, baselines.persistence(history, test)): "that is the ratio of the "
        "mean absolute errors; this lesson uses the root of the mean square.",
        error: "that is the RMSE of the forecast alone; divide it by that of persistence.",
    }
    if np.isclose(got, expected):
        return
    for value, hint in hints.items():
        if np.isclose(got, value):
            raise Wrong(f"expected {expected:.4f} on a made-up series, got {got:.4f}; {hint}")
    raise Wrong(
        f"expected {expected:.4f} on a made-up series, got {got:.4f}. Print both errors and check each by hand."
    )


@exercise("01 sunspots")
def sunspots(answer) -> None:
    """A window chosen, the linear model's relative RMSE on it predicted and measured, and that of seasonal naive."""
    keys = {"window", "predicted", "linear", "seasonal naive"}
    if not isinstance(answer, dict) or set(answer) != keys:
        raise Wrong(
            f"expected a dict with the keys 'linear', 'predicted', 'seasonal naive' and 'window', got {answer!r:.60}."
        )
    missing = [name for name, value in answer.items() if value is ... or value is None]
    if len(missing) == len(keys):
        raise NotAttempted
    if missing:
        raise Wrong(f"{missing[0]!r} is still missing.")
    window = number(answer["window"], "window")
    if window != int(window) or not 5 <= window <= 60:
        raise Wrong(f"window is {window:g}; choose a whole number of years from 5 to 60.")
    window = int(window)
    if not 0 < number(answer["predicted"], "predicted") < 3:
        raise Wrong("predicted is an error relative to persistence: about 1 is as good, below 1 is better.")
    parts = chronological_split(load_sunspots().to_numpy())
    history = np.concatenate(parts[:2])
    train, _, test = split_windows(parts, window)
    errors = {
        "persistence": rmse(parts.test, baselines.persistence(history, parts.test)),
        "seasonal naive": rmse(parts.test, baselines.seasonal_naive(history, parts.test, 11)),
        "linear": rmse(parts.test, baselines.linear_on_windows(train, test.x)),
    }
    season_12 = rmse(parts.test, baselines.seasonal_naive(history, parts.test, 12))
    seen = rmse(train.y, baselines.linear_on_windows(train, train.x))
    for name in ("seasonal naive", "linear"):
        got = number(answer[name], name)

        def is_ratio(error, got=got):
            return np.isclose(got, error / errors["persistence"], rtol=0, atol=0.006)  # two decimals will do

        if is_ratio(errors[name]):
            continue
        if np.isclose(got, errors[name], rtol=0.005):
            raise Wrong(f"{name} is {got:.3f}, which is the RMSE in sunspots; divide it by that of persistence.")
        if name == "seasonal naive" and is_ratio(season_12):
            raise Wrong("seasonal naive looks back 12 steps; these are years, and the solar cycle takes about 11.")
        if name == "linear" and is_ratio(seen):
            raise Wrong(
                "linear is the error on the training part, which the model has seen; forecast the test windows."
            )
        raise Wrong(
            f"{name} is {got:.3f}, which is not the RMSE on the test part over that of persistence there. Check the "
            "split, 70/10/20 in time"
            + (f", and the windows of {window} years." if name == "linear" else ", and the season.")
        )
