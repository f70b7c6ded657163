"""Number names: the words of the package, told apart by spaces alone."""

import pytest

from utils.datasets.translation import LANGUAGES, number_name


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
