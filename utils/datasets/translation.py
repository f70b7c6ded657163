"""Pairs of a text and what it is to be turned into. Number names so far: any number, any language, as many as wanted.

Taught in lesson 06.
"""

import re

from num2words import num2words

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt", "sv", "da", "pl")


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
