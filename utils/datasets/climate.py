"""Real climate and weather series, all in the public domain; see ``data/README.md`` for their origin."""

import pandas as pd

from utils.runtime import REPOSITORY


def load_el_nino() -> pd.Series:
    """Sea surface temperature off Peru (Nino 1+2 region), monthly from 1950-01 to 2010-12, in degrees Celsius."""
    from statsmodels.datasets import elnino

    table = elnino.load_pandas().data.set_index("YEAR")
    dates = pd.date_range(f"{int(table.index[0])}-01-01", periods=table.size, freq="MS")
    return pd.Series(table.to_numpy(dtype=float).ravel(), index=dates, name="temperature")


def load_co2() -> pd.Series:
    """Carbon dioxide at Mauna Loa, weekly from 1958-03-29 to 2001-12-29, in parts per million, gaps interpolated."""
    from statsmodels.datasets import co2

    return co2.load_pandas().data["co2"].interpolate().rename("co2")


def load_sunspots() -> pd.Series:
    """Mean number of sunspots, yearly from 1700 to 2008."""
    from statsmodels.datasets import sunspots

    table = sunspots.load_pandas().data
    dates = pd.to_datetime(table["YEAR"].astype(int).astype(str), format="%Y")
    return pd.Series(table["SUNACTIVITY"].to_numpy(dtype=float), index=pd.DatetimeIndex(dates), name="sunspots")


def load_hourly_temperature() -> pd.Series:
    """Air temperature at New York's JFK airport, hourly through 2013, in degrees Celsius; 24 gaps interpolated.

    Times are UTC: the day is warmest around 19:00, early afternoon in New York.
    """
    table = pd.read_csv(REPOSITORY / "data" / "jfk_temperature_2013.csv.gz", index_col="time", parse_dates=True)
    celsius = (table["fahrenheit"] - 32) * 5 / 9
    return celsius.asfreq("h").interpolate().rename("temperature")
