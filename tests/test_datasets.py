"""Prices, climate series and windows: what comes is right, and what is wrong is named."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import yfinance
from scipy import stats
from sklearn.preprocessing import StandardScaler
from yfinance.exceptions import YFRateLimitError

from utils.datasets import climate, prices
from utils.datasets.windows import (
    Split,
    as_changes,
    chronological_split,
    random_text_stretches,
    sliding_windows,
    split_windows,
    standardise,
    text_stretches,
)


def made_up(days: int = 5, **columns) -> pd.DataFrame:
    """What yfinance returns for one ticker."""
    index = pd.date_range("2020-01-01", periods=days, name="Date")
    close = np.arange(1.0, days + 1)
    table = {"Open": close, "High": close + 1, "Low": close - 0.5, "Close": close, "Volume": np.full(days, 100)}
    return pd.DataFrame({**table, **columns}, index=index)


def test_goog_offline():
    table = prices.load_prices()
    assert (len(table), str(table.index[0].date()), str(table.index[-1].date())) == (1047, "2004-08-19", "2008-10-14")
    assert list(table.columns) == ["open", "high", "low", "close", "volume"]
    assert (table["close"].iloc[0], table["close"].iloc[-1]) == (100.34, 362.71)
    assert table.index.is_monotonic_increasing
    assert ((table["low"] <= table["close"]) & (table["close"] <= table["high"])).all()


def test_log_returns():
    returns = prices.log_returns(pd.Series([1.0, np.e, 1.0]))
    np.testing.assert_allclose(returns, [1, -1])


def test_unknown_ticker_offline_says_what_is_there_and_how_to_go_online(tmp_path):
    with pytest.raises(ValueError, match=r"No prices of 'MSFT'.*available offline: GOOG\. .*live=True"):
        prices.load_prices("MSFT", cache=tmp_path)
    prices.write_kept(tmp_path / "KO.csv", b"x")
    with pytest.raises(ValueError, match="available offline: GOOG, KO"):
        prices.load_prices("MSFT", cache=tmp_path)


@pytest.mark.parametrize("ticker", ["", "../secret", "A B", "X" * 30])
def test_impossible_tickers(ticker, tmp_path):
    with pytest.raises(ValueError, match="no ticker symbol"):
        prices.load_prices(ticker, live=True, cache=tmp_path)


def test_a_download_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(yfinance, "download", lambda *args, **kwargs: made_up())
    live = prices.load_prices("msft", live=True, cache=tmp_path)
    kept = prices.load_prices("MSFT", cache=tmp_path)
    pd.testing.assert_frame_equal(live, kept, check_freq=False, check_index_type=False)
    assert live["close"].tolist() == [1, 2, 3, 4, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MSFT.csv", "MSFT.csv.sha256"]


def fail(error):
    def download(*args, **kwargs):
        print("1 Failed download")
        if error is None:
            return made_up().iloc[:0]
        raise error

    return download


@pytest.mark.parametrize("error", [None, YFRateLimitError(), ConnectionError("no route")])
def test_a_failed_download_uses_the_earlier_copy_and_leaves_it_alone(error, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(yfinance, "download", lambda *args, **kwargs: made_up())
    prices.load_prices("MSFT", live=True, cache=tmp_path)
    before = (tmp_path / "MSFT.csv").read_bytes()
    monkeypatch.setattr(yfinance, "download", fail(error))
    assert len(prices.load_prices("MSFT", live=True, cache=tmp_path)) == 5
    assert "using the copy kept earlier" in capsys.readouterr().out
    assert (tmp_path / "MSFT.csv").read_bytes() == before


@pytest.mark.parametrize("error", [None, YFRateLimitError(), ConnectionError("no route")])
def test_a_failed_download_without_a_copy_says_what_to_do(error, tmp_path, monkeypatch):
    monkeypatch.setattr(yfinance, "download", fail(error))
    with pytest.raises(RuntimeError, match=r"Downloading MSFT failed .*Check the ticker.*load_prices\('GOOG'\)"):
        prices.load_prices("MSFT", live=True, cache=tmp_path)
    assert not (tmp_path / "MSFT.csv").exists()


def test_a_bad_download_never_replaces_a_good_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(yfinance, "download", lambda *args, **kwargs: made_up())
    prices.load_prices("MSFT", live=True, cache=tmp_path)
    monkeypatch.setattr(yfinance, "download", lambda *args, **kwargs: made_up(Close=[1, 2, np.nan, 4, 5]))
    assert prices.load_prices("MSFT", live=True, cache=tmp_path)["close"].notna().all()


def cached(folder, monkeypatch, days: int = 40):
    """The file of a ticker kept by a download, and the table in it."""
    rng = np.random.default_rng(0)
    close = 100 + np.cumsum(rng.normal(size=days))
    monkeypatch.setattr(yfinance, "download", lambda *args, **kwargs: made_up(days, Close=close))
    prices.load_prices("MSFT", live=True, cache=folder)
    return folder / "MSFT.csv", prices.load_prices("MSFT", cache=folder)


def set_aside(folder) -> list:
    return sorted(folder.glob("MSFT.csv.damaged*"))


def damages(data: bytes):
    """The file cut at every place, each byte with one bit turned over and inverted, and things put in."""
    bits = np.random.default_rng(1).integers(8, size=len(data))
    yield from (data[:end] for end in range(len(data)))
    for place, bit in enumerate(bits):
        for mask in (1 << bit, 255):
            yield data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]
    yield from (data + b"\n", data + data, b"\xff\xfe" + data, data.replace(b"\n", b"\r\n"), b"1,2,3\n" + data)


def test_no_damage_of_a_kept_file_is_read(tmp_path, monkeypatch):
    path, _ = cached(tmp_path, monkeypatch, days=10)
    data, checksum = path.read_bytes(), prices.checksum_of(path).read_bytes()
    for damaged in damages(data):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"MSFT\.csv is damaged") as raised:
            prices.load_prices("MSFT", cache=tmp_path)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 400
        assert not path.exists()
        (aside,) = set_aside(tmp_path)
        assert aside.read_bytes() == damaged
        assert prices.checksum_of(path).read_bytes() == checksum
        aside.unlink()


def test_every_damaged_file_is_kept(tmp_path, monkeypatch):
    path, _ = cached(tmp_path, monkeypatch, days=10)
    for content in (b"1", b"2", b"3"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="set aside"):
            prices.load_prices("MSFT", cache=tmp_path)
    assert {file.name: file.read_bytes() for file in set_aside(tmp_path)} == {
        "MSFT.csv.damaged": b"1",
        "MSFT.csv.damaged-2": b"2",
        "MSFT.csv.damaged-3": b"3",
    }


@pytest.mark.parametrize("checksum", [None, "", "0" * 64, "no checksum", b"\xff\xfe", "other file"])
def test_a_missing_or_foreign_checksum_is_damage(checksum, tmp_path, monkeypatch):
    path, _ = cached(tmp_path, monkeypatch)
    if checksum is None:
        prices.checksum_of(path).unlink()
    elif checksum == "other file":
        prices.checksum_of(path).write_text(hashlib.sha256(b"date,close").hexdigest())
    else:
        prices.checksum_of(path).write_bytes(checksum if isinstance(checksum, bytes) else checksum.encode())
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=r"MSFT.csv is damaged \(.*SHA-256.*set aside as MSFT.csv.damaged.*live=True"):
        prices.load_prices("MSFT", cache=tmp_path)
    assert [file.read_bytes() for file in set_aside(tmp_path)] == [kept]
    with pytest.raises(ValueError, match="No prices of 'MSFT'"):
        prices.load_prices("MSFT", cache=tmp_path)


def test_a_table_that_is_none_is_named_even_with_its_checksum(tmp_path, monkeypatch):
    """Whatever stands in a file with a true checksum, it is read as a sound table or refused in one sentence."""
    path, table = cached(tmp_path, monkeypatch, days=4)
    data, read = path.read_bytes(), 0
    for damaged in damages(data):
        path.write_bytes(damaged)
        prices.checksum_of(path).write_text(hashlib.sha256(damaged).hexdigest())
        said, got = "", None
        try:
            got = prices.load_prices("MSFT", cache=tmp_path)
        except ValueError as error:
            said = str(error)
            set_aside(tmp_path)[0].unlink()
        if got is None:
            assert "MSFT.csv is damaged" in said
            assert "\n" not in said
            continue
        read += 1
        assert isinstance(got.index, pd.DatetimeIndex)
        assert list(got.columns) == list(table.columns)
        assert all(np.issubdtype(kind, np.number) for kind in got.dtypes)
        assert np.isfinite(got["close"]).all()
    assert read > 0


def test_after_damage_the_next_download_is_used(tmp_path, monkeypatch):
    path, table = cached(tmp_path, monkeypatch)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="damaged"):
        prices.load_prices("MSFT", cache=tmp_path)
    prices.load_prices("MSFT", live=True, cache=tmp_path)
    pd.testing.assert_frame_equal(prices.load_prices("MSFT", cache=tmp_path), table)


def test_a_failed_download_does_not_fall_back_on_a_damaged_copy(tmp_path, monkeypatch, capsys):
    path, _ = cached(tmp_path, monkeypatch)
    path.write_bytes(path.read_bytes()[:-30])
    monkeypatch.setattr(yfinance, "download", fail(ConnectionError("no route")))
    with pytest.raises(RuntimeError, match=r"Downloading MSFT failed .*no route.*MSFT.csv is damaged"):
        prices.load_prices("MSFT", live=True, cache=tmp_path)
    assert len(set_aside(tmp_path)) == 1
    # for GOOG there is the series that ships with Matplotlib
    prices.write_kept(tmp_path / "GOOG.csv", b"nothing")
    shipped = prices.load_prices("GOOG", live=True, cache=tmp_path)
    pd.testing.assert_frame_equal(shipped, prices.load_prices())
    assert "using the series that ships with Matplotlib" in capsys.readouterr().out
    assert prices.load_prices("GOOG", live=True, cache=tmp_path / "empty").equals(shipped)


def test_bad_rows_are_named_by_their_date():
    good = made_up().rename(columns=str.lower)
    assert prices.check_prices(good, "here") is good
    cases = {
        "2020-01-03 has a closing price that is missing": good.assign(close=[1, 2, np.nan, 4, 5]),
        "2020-01-02 has a closing price that is missing, infinite or not positive": good.assign(close=[1, 0, 3, 4, 5]),
        "2020-01-02 appears twice": good.iloc[[0, 1, 1, 2]],
        "2020-01-02 is out of order": good.iloc[[0, 2, 1, 3]],
        "no column volume": good.drop(columns="volume"),
        "has no rows": good.iloc[:0],
        "column high holds no numbers": good.assign(high="5"),
        "column volume holds no numbers": good.assign(volume=True),
        "2020-01-05 has a closing price that is missing, infinite or not positive": good.assign(
            close=[1, 2, 3, 4, np.inf]
        ),
        "the rows have no dates": good.reset_index(drop=True),
    }
    for message, table in cases.items():
        with pytest.raises(ValueError, match=f"here: .*{message}"):
            prices.check_prices(table, "here")
    with pytest.raises(ValueError, match=r"NaT is missing \(NaT\)"):
        prices.check_prices(good.set_axis([pd.NaT, *good.index[1:]]), "here")


def test_hourly_temperature_is_a_year_without_gaps():
    series = climate.load_hourly_temperature()
    assert len(series) == 8730
    assert series.notna().all()
    assert (series.index.to_series().diff().dropna() == pd.Timedelta(hours=1)).all()
    assert series.iloc[0] == pytest.approx((39.02 - 32) * 5 / 9)
    # normal monthly means at JFK, 1991 to 2020, by the National Weather Service: January 0.6, July 24.6 degrees Celsius
    monthly = series.groupby(series.index.month).mean()
    assert monthly[1] == pytest.approx(0.6, abs=2.5)
    assert monthly[7] == pytest.approx(24.6, abs=2.5)
    assert 17 <= series.groupby(series.index.hour).mean().idxmax() <= 20  # UTC: early afternoon in New York


def test_climate_series():
    el_nino, co2, sunspots = climate.load_el_nino(), climate.load_co2(), climate.load_sunspots()
    assert [len(s) for s in (el_nino, co2, sunspots)] == [732, 2284, 309]
    for series in (el_nino, co2, sunspots):
        assert series.notna().all()
        assert series.index.is_monotonic_increasing
        assert series.index.is_unique
    assert str(el_nino.index[-1].date()) == "2010-12-01"
    assert el_nino.iloc[-1] == 22.07
    assert el_nino.groupby(el_nino.index.month).mean().idxmax() == 3  # warmest off Peru in March


def test_split_is_in_order_and_complete():
    parts = chronological_split(np.arange(10), (0.5, 0.2, 0.3))
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]
    series = climate.load_el_nino()
    pd.testing.assert_series_equal(pd.concat(chronological_split(series)), series)
    with pytest.raises(ValueError, match="validation part of 3 values"):
        chronological_split(np.arange(3))
    with pytest.raises(ValueError, match="sum to 1"):
        chronological_split(np.arange(10), (0.5, 0.2, 0.2))


def test_windows_show_the_past_and_ask_for_the_future():
    x, y = sliding_windows(np.arange(6.0), window=3)
    assert x[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert y.tolist() == [3, 4, 5]
    x, y = sliding_windows(np.arange(6.0), window=2, horizon=3)
    assert x[:, :, 0].tolist() == [[0, 1], [1, 2]]
    assert y.tolist() == [4, 5]
    x, y = sliding_windows(np.arange(12.0).reshape(6, 2), window=4, target=10 * np.arange(6))
    assert x.shape == (2, 4, 2)
    assert x[1, 0].tolist() == [2, 3]
    assert y.tolist() == [40, 50]
    assert x.dtype == y.dtype == np.float32


def test_split_windows_cover_their_own_part_and_never_reach_forward():
    series = np.arange(100.0)
    parts = chronological_split(series, (0.6, 0.2, 0.2))
    for window in (1, 5, 30):
        train, validation, test = split_windows(parts, window, horizon=2)
        assert validation.y.tolist() == list(range(60, 80))
        assert test.y.tolist() == list(range(80, 100))
        assert train.y[-1] == 59
        for windows in (train, validation, test):
            assert (windows.x[:, -1, 0] == windows.y - 2).all()


def test_standardise_knows_the_training_part_only():
    series = np.random.default_rng(0).normal(5, 3, size=(100, 2)) + np.arange(100)[:, None]
    parts = chronological_split(series)
    scaler = StandardScaler().fit(parts.train)
    for ours, part in zip(standardise(parts), parts, strict=True):
        np.testing.assert_allclose(ours, scaler.transform(part))
    with pytest.raises(ValueError, match="does not vary in the training part"):
        standardise(chronological_split(np.r_[np.ones(80), np.arange(20)]))


def test_changes_lead_from_the_last_value_to_the_target():
    windows = sliding_windows(np.arange(6.0) ** 2, window=2, horizon=2)
    x, change = as_changes(windows)
    assert x is windows.x
    np.testing.assert_array_equal(change, [[9 - 1], [16 - 4], [25 - 9]])


def test_stretches_and_what_follows():
    x, y = text_stretches(np.arange(11), 3)
    np.testing.assert_array_equal(x, [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(y, x + 1)
    x, y = text_stretches(np.arange(100), 3, most=10)
    assert len(x) == len(y) <= 10
    np.testing.assert_array_equal(np.diff(x[:, 0]), 12)  # evenly spaced, four stretches apart
    with pytest.raises(ValueError, match="3 characters"):
        text_stretches(np.arange(3), 3)


def test_random_stretches_come_from_everywhere():
    x, y = random_text_stretches(np.arange(12), 3, 2000, np.random.default_rng(0))
    assert x.shape == y.shape == (2000, 3)
    np.testing.assert_array_equal(x, x[:, :1] + np.arange(3))
    np.testing.assert_array_equal(y, x + 1)
    drawn = np.bincount(x[:, 0])
    assert len(drawn) == 9  # the last begins at 8 and is followed by 11
    assert stats.chisquare(drawn).pvalue > 1e-3
    with pytest.raises(ValueError, match="3 characters"):
        random_text_stretches(np.arange(3), 3, 1, np.random.default_rng(0))


def test_split_windows_with_another_target():
    parts = Split(np.zeros((5, 2)), np.ones((3, 2)), np.full((3, 2), 2.0))
    targets = Split(np.arange(5.0), np.arange(5.0, 8), np.arange(8.0, 11))
    _, validation, test = split_windows(parts, 2, targets=targets)
    assert (validation.y.tolist(), test.y.tolist()) == ([5, 6, 7], [8, 9, 10])
    assert test.x.shape == (3, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.arange(5), 5), "series of 5 values is too short for a window of 5"),
        ((np.arange(5), 0), "window is 0"),
        ((np.arange(5), 2, 0), "horizon 0"),
        ((np.array([1, 2, np.nan, 4, np.nan]), 2), "series holds NaN or infinity, first at position 2"),
        ((np.array([[1, 2], [1, np.inf], [1, 1]]), 1), "first at position 1"),
        ((np.arange(5), 2, 1, np.arange(4)), "target has 4 values and series 5"),
    ],
)
def test_bad_windows_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sliding_windows(*arguments)


def test_stretches_may_all_begin_with_one_character():
    text = np.array([9, 1, 2, 9, 3, 4, 9, 5])  # the last 9 is followed by too little
    x, y = random_text_stretches(text, 2, 200, np.random.default_rng(0), begin=9)
    assert {tuple(row) for row in np.column_stack([x, y[:, -1]])} == {(9, 1, 2), (9, 3, 4)}
    with pytest.raises(ValueError, match="begins with 5"):
        random_text_stretches(text, 2, 1, np.random.default_rng(0), begin=5)
