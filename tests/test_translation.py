"""Number names and dates: the words of the packages, and how often a date can be read at all."""

import datetime

import numpy as np
import pytest

from utils.datasets import translation
from utils.datasets.translation import FIRST, FORMATS, LANGUAGES, LAST, date_ceiling, number_name, written_dates


@pytest.mark.parametrize(
    ("number", "language", "expected"),
    [
        (0, "en", "zero"),
        (97, "en", "ninety seven"),
        (1234, "en", "one thousand two hundred and thirty four"),
        (97, "fr", "quatre vingt dix sept"),
        (80, "fr", "quatre vingts"),
        (321, "de", "dreihunderteinundzwanzig"),
    ],
)
def test_names_by_hand(number, language, expected):
    assert number_name(number, language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_a_name_of_its_own(language):
    names = [number_name(n, language) for n in range(2000)]
    assert len(set(names)) == 2000
    assert not any({"-", ","} & set(name) or name != name.lower() for name in names)


def test_what_has_no_name_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        number_name(-1)
    with pytest.raises(ValueError, match="whole one"):
        number_name(1.5)
    with pytest.raises(ValueError, match="no language 'xx'; try en"):
        number_name(1, "xx")


@pytest.mark.parametrize(
    ("locale", "form", "expected"),
    [
        ("en", "short", "7/3/24"),
        ("en_GB", "short", "03/07/2024"),
        ("de", "full", "mittwoch, 3. juli 2024"),
        ("fr", "long", "3 juillet 2024"),
        ("sv", "short", "2024-07-03"),
        ("nl", "d/M/yy", "3/7/24"),
    ],
)
def test_dates_by_hand(locale, form, expected):
    day = datetime.date(2024, 7, 3)
    (written,) = written_dates(1, np.random.default_rng(0), [locale], [form], day, day)
    assert written == (expected, "2024-07-03", locale, form)


def test_drawn_dates_come_from_everywhere():
    drawn = written_dates(2000, np.random.default_rng(0), ["en", "it"])
    kinds = {(d.locale, d.format) for d in drawn}
    assert kinds == {(locale, form) for locale in ("en", "it") for form in FORMATS}
    assert all(FIRST.isoformat() <= d.iso <= LAST.isoformat() for d in drawn)
    assert len({d.iso for d in drawn}) > 1500


def test_the_ceiling_by_counting():
    year = (datetime.date(2001, 1, 1), datetime.date(2001, 12, 31))
    assert date_ceiling(["en"], ["long"], *year) == 1
    # month/day and day/month: of 365 days 12 read the same, 132 can be another one, 221 cannot
    assert date_ceiling(["en"], ["d/M/yy", "M/d/yy"], *year) == pytest.approx((365 - 132 / 2) / 365)


def test_dates_that_cannot_be_drawn_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="0 dates"):
        written_dates(0, rng)
    with pytest.raises(ValueError, match="no locale 'moon'"):
        written_dates(1, rng, ["moon"])
    with pytest.raises(ValueError, match="days in their order"):
        date_ceiling(["en"], first=LAST, last=FIRST)


def test_pronunciations_of_letters_alone():
    entries = translation.load_pronunciations()
    spoken = dict(entries)
    assert len(entries) == len(spoken) > 110_000
    assert spoken["phone"] == ("F", "OW", "N")
    assert spoken["through"] == ("TH", "R", "UW")
    assert len({phoneme for phonemes in spoken.values() for phoneme in phonemes}) == 39
    assert all(word.isalpha() and word == word.lower() for word in spoken)
    assert entries == sorted(entries)


def test_symbols_there_and_back():
    symbols = translation.Symbols(["abc", "bd"])
    assert symbols.tokens == ["a", "b", "c", "d"]
    rows = symbols.encode(["cab", "dx"], 4)
    assert rows.tolist() == [[3, 1, 2, 0], [4, symbols.unknown, 0, 0]]
    assert [symbols.decode(row) for row in rows] == [["c", "a", "b"], ["d", "?"]]
    assert symbols.decode([symbols.begin, 1, 0, 3]) == ["?", "a"]
    numbers = {0, 1, 2, 3, 4, symbols.unknown, symbols.begin}
    assert numbers == set(range(symbols.size))


def test_the_most_frequent_tokens_are_kept():
    texts = [["the", "a", "the"], ["a", "the", "an", "ox"]]
    assert translation.Symbols(texts, most=3).tokens == ["a", "an", "the"]  # of "an" and "ox" the first in the alphabet


def test_what_cannot_be_encoded_is_named():
    with pytest.raises(ValueError, match="0 different tokens"):
        translation.Symbols([])
    with pytest.raises(ValueError, match="most is 0"):
        translation.Symbols(["a"], most=0)
    with pytest.raises(ValueError, match="has 3 tokens and the rows 2"):
        translation.Symbols(["abc"]).encode(["abc"], 2)
