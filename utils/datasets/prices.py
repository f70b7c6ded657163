"""Daily stock prices: Google's first four years offline, any ticker live through Yahoo Finance."""

import contextlib
import io
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from utils.runtime import REPOSITORY

CACHE = REPOSITORY / "data" / "cache" / "prices"
COLUMNS = ["open", "high", "low", "close", "volume"]


def load_prices(
    ticker: str = "GOOG",
    *,
    live: bool = False,
    start: str = "2004-08-19",
    end: str | None = None,
    cache: Path = CACHE,
) -> pd.DataFrame:
    """Daily prices of one stock.

    Offline (the default) there is GOOG from 2004-08-19 to 2008-10-14, which ships with Matplotlib, and whatever was
    downloaded before. With ``live=True`` yfinance fetches any ticker, adjusted for splits and dividends, and the answer
    is kept in ``data/cache``, which git ignores: Yahoo's terms allow personal use and no redistribution.

    Args:
        ticker: symbol at Yahoo Finance, such as ``"GOOG"`` or ``"^GSPC"``.
        live: ask Yahoo Finance.
        start, end: first day and day after the last, as ``"YYYY-MM-DD"``; ``end=None`` means up to today. Only used
            with ``live=True``.
        cache: folder of downloaded prices.

    Returns:
        One row per trading day, indexed by date, with the columns open, high, low, close (dollars) and volume (shares).

    Raises:
        ValueError: an impossible ticker, or one that is not there offline; the message says what is there instead.
        RuntimeError: the download failed and there is no earlier copy.
    """
    ticker = ticker.upper()
    if not re.fullmatch(r"[A-Z0-9^.=\-]{1,20}", ticker) or ".." in ticker:
        raise ValueError(f"{ticker!r} is no ticker symbol; expected something like 'GOOG', 'BRK-B' or '^GSPC'.")
    path = cache / f"{ticker}.csv"
    if live:
        return _live(ticker, start, end, path)
    if ticker == "GOOG":
        return _goog()
    if path.exists():
        return _read(path)
    available = sorted({"GOOG", *(file.stem for file in cache.glob("*.csv"))})
    raise ValueError(
        f"No prices of {ticker!r} on this machine; available offline: {', '.join(available)}. "
        f"With an internet connection, load_prices({ticker!r}, live=True) downloads and keeps them."
    )


def log_returns(close: pd.Series) -> pd.Series:
    """Daily log returns ln(p_t / p_{t-1}), one shorter than the prices."""
    return np.log(close).diff().iloc[1:].rename("log return")


def check_prices(prices: pd.DataFrame, origin: str) -> pd.DataFrame:
    """The table itself, if its dates ascend without repeats and its closing prices are positive numbers.

    Raises:
        ValueError: names the first offending date.
    """
    if prices.empty:
        raise ValueError(f"{origin}: the table of prices has no rows.")
    missing = [column for column in COLUMNS if column not in prices]
    if missing:
        raise ValueError(f"{origin}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}.")
    days = prices.index
    problems = {
        "is missing (NaT)": days.isna(),
        "appears twice": days.duplicated(),
        "is out of order": np.r_[False, days[1:] < days[:-1]],
        "has a closing price that is missing or not positive": ~(prices["close"] > 0).to_numpy(),
    }
    for problem, where in problems.items():
        if where.any():
            day = days[int(np.argmax(where))]
            raise ValueError(f"{origin}: {day if pd.isna(day) else day.date()} {problem}; correct or drop that row.")
    return prices


def _goog() -> pd.DataFrame:
    """The prices that ship with Matplotlib, read in place."""
    from matplotlib.cbook import get_sample_data

    table = pd.DataFrame(get_sample_data("goog.npz")["price_data"])
    prices = table.set_index(pd.DatetimeIndex(table["date"], name="date"))[COLUMNS]
    return check_prices(prices, "GOOG as shipped with Matplotlib")


def _read(path: Path) -> pd.DataFrame:
    return check_prices(pd.read_csv(path, index_col="date", parse_dates=["date"]), path.name)


def _live(ticker: str, start: str, end: str | None, path: Path) -> pd.DataFrame:
    """Download; a failure falls back on an earlier copy, says so, and never touches it."""
    try:
        prices = _download(ticker, start, end)
    except Exception as error:
        # Whatever goes wrong between here and Yahoo, the reader is in the middle of a lesson.
        reason = f"{type(error).__name__}: {error}"
        if not path.exists():
            raise RuntimeError(
                f"Downloading {ticker} failed ({reason}) and there is no earlier copy. Check the ticker and the "
                "connection, wait some minutes if Yahoo limits the rate, or use load_prices('GOOG'), which needs no "
                "internet."
            ) from error
        print(f"Downloading {ticker} failed ({reason}); using the copy kept earlier in data/cache.")
        return _read(path)
    write_atomically(path, prices.to_csv())
    return prices


def _download(ticker: str, start: str, end: str | None) -> pd.DataFrame:
    import yfinance

    # yfinance reports failures by printing and returning an empty table; keep its words for our own error.
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        table = yfinance.download(
            ticker, start=start, end=end, auto_adjust=True, progress=False, threads=False, multi_level_index=False
        )
    if table is None or table.empty:
        first_line = said.getvalue().strip().partition("\n")[0]
        raise ValueError(f"Yahoo Finance returned no rows for {ticker!r}. {first_line}".strip())
    table = table.rename(columns=str.lower)
    table.index = pd.DatetimeIndex(table.index, name="date").tz_localize(None)
    return check_prices(table, f"Yahoo Finance's {ticker}")[COLUMNS]


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all: to a temporary file beside it, then renamed over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
