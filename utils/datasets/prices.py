"""Daily stock prices: Google's first four years offline, any ticker live through Yahoo Finance."""

import contextlib
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from utils.files import write_whole
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
    is kept in ``data/cache``, which git ignores: Yahoo's terms allow personal use and no redistribution. Beside it lies
    its SHA-256; a file that no longer has it is damaged, is set aside under another name and is not read.

    Args:
        ticker: symbol at Yahoo Finance, such as ``"GOOG"`` or ``"^GSPC"``.
        live: ask Yahoo Finance.
        start, end: first day and day after the last, as ``"YYYY-MM-DD"``; ``end=None`` means up to today. Only used
            with ``live=True``.
        cache: folder of downloaded prices.

    Returns:
        One row per trading day, indexed by date, with the columns open, high, low, close (dollars) and volume (shares).

    Raises:
        ValueError: an impossible ticker, one that is not there offline (the message says what is there instead), or a
            kept file that is damaged.
        RuntimeError: the download failed and there is no sound earlier copy, nor a series that ships.
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
    """The table itself, if it holds numbers, its dates ascend without repeats and its closing prices are positive.

    Raises:
        ValueError: names the column, or the first offending date.
    """
    if prices.empty:
        raise ValueError(f"{origin}: the table of prices has no rows.")
    missing = [column for column in COLUMNS if column not in prices]
    if missing:
        raise ValueError(f"{origin}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}.")
    for column in COLUMNS:
        kind = prices[column].dtype
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            raise ValueError(f"{origin}: column {column} holds no numbers, but {kind}.")
    days = prices.index
    if not isinstance(days, pd.DatetimeIndex):
        raise ValueError(f"{origin}: the rows have no dates, but {days.dtype}.")
    problems = {
        "is missing (NaT)": days.isna(),
        "appears twice": days.duplicated(),
        "is out of order": np.r_[False, days[1:] < days[:-1]],
        "has a closing price that is missing, infinite or not positive": ~prices["close"]
        .between(0, np.inf, inclusive="neither")
        .to_numpy(),
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


def checksum_of(path: Path) -> Path:
    """Where the SHA-256 of a kept file stands."""
    return path.with_name(path.name + ".sha256")


def write_kept(path: Path, content: bytes) -> None:
    """Write a file and, beside it, its SHA-256."""
    write_whole(path, content)
    write_whole(checksum_of(path), hashlib.sha256(content).hexdigest() + "\n")


def _read(path: Path) -> pd.DataFrame:
    """A kept table.

    Raises:
        ValueError: the file is damaged; it has been set aside.
    """
    content, checksum = path.read_bytes(), checksum_of(path)
    try:
        if not checksum.exists():
            raise ValueError("its SHA-256 is not beside it")
        if checksum.read_bytes().strip() != hashlib.sha256(content).hexdigest().encode():
            raise ValueError("it does not have the SHA-256 that stands beside it")
        table = pd.read_csv(io.BytesIO(content)).set_index("date")
        table.index = pd.to_datetime(table.index, format="ISO8601")
        return check_prices(table, "its content")[COLUMNS]
    except Exception as error:  # of pandas' parser: ValueError, KeyError and others
        reason = " ".join(str(error).split())[:120].rstrip(".")
        aside = _set_aside(path)
        raise ValueError(
            f"{path.name} is damaged ({reason}), so it was set aside as {aside.name}; "
            f"load_prices({path.stem!r}, live=True) downloads it again."
        ) from None


def _set_aside(path: Path) -> Path:
    """Give a damaged file a name that is free and under which nothing looks for it."""
    aside, number = path.with_name(path.name + ".damaged"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    return path.rename(aside)


def _live(ticker: str, start: str, end: str | None, path: Path) -> pd.DataFrame:
    """Download; a failure falls back on an earlier copy or the series that ships, and says so."""
    try:
        prices = _download(ticker, start, end)
    except Exception as error:
        # Whatever goes wrong between here and Yahoo, the reader is in the middle of a lesson.
        failed = f"Downloading {ticker} failed ({type(error).__name__}: {error})"
        no_copy = "there is no earlier copy"
        if path.exists():
            try:
                prices = _read(path)
            except ValueError as damage:
                no_copy = f"the earlier copy is of no use: {str(damage).partition(';')[0]}"
            else:
                print(f"{failed}; using the copy kept earlier in data/cache.")
                return prices
        if ticker == "GOOG":
            print(f"{failed} and {no_copy}; using the series that ships with Matplotlib.")
            return _goog()
        raise RuntimeError(
            f"{failed} and {no_copy}. Check the ticker and the connection, wait some minutes if Yahoo limits the rate, "
            "or use load_prices('GOOG'), which needs no internet."
        ) from error
    write_kept(path, prices.to_csv(lineterminator="\n").encode())
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
