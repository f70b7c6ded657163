"""Fiddle tunes: read as the reference library reads them, and played at the right pitch."""

import dataclasses
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from utils.datasets import music
from utils.datasets.music import Note, Tune, load_tunes, notes, play, read_tune
from utils.datasets.speech import PEAK, RATE


def tune(body: str, key: str = "C", meter: str = "4/4", unit: str = "1/4") -> Tune:
    return Tune(meter, unit, key, body)


def pitches(body: str, key: str = "C") -> list[int]:
    return [note.pitch for note in notes(tune(body, key))]


def lengths(body: str, meter: str = "4/4") -> list[Fraction]:
    return [note.length for note in notes(tune(body, meter=meter))]


def test_tunes_are_read_as_music21_reads_them():
    import music21

    # music21 does not carry an accidental to the end of the bar as the standard says, and lays endings one upon the
    # other. So: tunes without accidentals, their repeats made plain bars; every key, meter, tuplet and rhythm is there.
    plain = [t for t in load_tunes() if not re.search(r"[_=^\[\]]", t.body)][:120]
    assert len({t.key for t in plain}) > 8
    assert any("(3" in t.body for t in plain)
    assert any(">" in t.body for t in plain)
    for t in plain:
        body = re.sub(r"[:|]+\d?", "|", t.body)
        text = f"X:1\nM:{t.meter}\nL:{t.unit}\nK:{t.key}\n{body}\n"
        stream = music21.converter.parse(text, format="abc").flatten().stripTies()
        reference = [(n.pitch.midi, Fraction(n.offset), Fraction(n.quarterLength)) for n in stream.notes]
        assert [tuple(n) for n in notes(dataclasses.replace(t, body=body))] == reference, t.title


def test_loading_does_not_import_music21(tmp_path):
    code = "import sys; from utils.datasets.music import load_tunes; load_tunes(); sys.exit('music21' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_collection_is_whole():
    tunes = load_tunes()
    assert len(tunes) == 1024
    assert len({t.title for t in tunes}) > 950
    characters = set("".join(t.body for t in tunes))
    assert characters <= set("ABCDEFGabcdefgz^=_,'0123456789/|:[]()<>-")
    assert all(notes(t) for t in tunes)


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ("CDEFGABc", "C", [60, 62, 64, 65, 67, 69, 71, 72]),
        ("C,Cc'", "C", [48, 60, 84]),
        ("FCf", "D", [66, 61, 78]),
        ("BEA", "Bb", [70, 63, 69]),
        ("FBc", "Ador", [66, 71, 72]),
        ("^FFf|F", "C", [66, 66, 78, 65]),  # to the end of the bar, in every octave
        ("=F^F_F", "G", [65, 66, 64]),
        ("^^F__B", "C", [67, 69]),
        ("A-A|A", "C", [69, 69]),
        ("[CEG]c", "C", [60, 64, 67, 72]),
    ],
)
def test_pitches_by_the_standard(body, key, expected):
    assert pitches(body, key) == expected


@pytest.mark.parametrize(
    ("body", "meter", "expected"),
    [
        ("A2A/A3/2A//", "4/4", ["2", "1/2", "3/2", "1/4"]),
        ("A>A<A", "4/4", ["3/2", "1/4", "3/2"]),
        ("A>>A", "4/4", ["7/4", "1/4"]),
        ("(3AAAA", "4/4", ["2/3", "2/3", "2/3", "1"]),
        ("(2AA", "6/8", ["3/2", "3/2"]),
        ("(5AAAAA", "6/8", ["3/5"] * 5),
        ("(3:2:2AAA", "4/4", ["2/3", "2/3", "1"]),
        ("A-A2", "4/4", ["3"]),
        ("[CE]2z", "4/4", ["2", "2"]),
    ],
)
def test_lengths_by_the_standard(body, meter, expected):
    assert lengths(body, meter) == [Fraction(text) for text in expected]


def test_a_rest_takes_time():
    assert notes(tune("Az2A")) == [Note(69, Fraction(0), Fraction(1)), Note(69, Fraction(3), Fraction(1))]


def test_what_is_no_abc_is_named():
    with pytest.raises(ValueError, match=r"'\?A' at position 1"):
        notes(tune("A?A"))
    with pytest.raises(ValueError, match="after no note"):
        notes(tune(">A"))
    with pytest.raises(ValueError, match="above 0"):
        notes(tune("A0"))
    with pytest.raises(ValueError, match="Unknown key 'H'"):
        notes(tune("A", key="H"))
    with pytest.raises(ValueError, match="is no tune"):
        read_tune("GABc")


def test_a_line_of_text_is_the_tune_again():
    for t in load_tunes()[:50]:
        assert notes(read_tune(t.text)) == notes(t)


def test_a_note_sounds_at_its_pitch():
    for pitch in (57, 69, 81):
        sound = play([Note(pitch, Fraction(0), Fraction(2))])
        strength = np.abs(np.fft.rfft(sound))
        heard = np.fft.rfftfreq(len(sound), 1 / RATE)[strength.argmax()]
        assert heard == pytest.approx(440 * 2 ** ((pitch - 69) / 12), rel=0.005)
        assert np.abs(sound).max() == pytest.approx(PEAK, abs=1e-6)
        assert len(sound) == pytest.approx(1.3 * RATE, abs=2)


def test_nothing_to_play_is_refused():
    with pytest.raises(ValueError, match="0 notes"):
        play([])


def test_without_the_package_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(music, "available", lambda: False)
    with pytest.raises(ModuleNotFoundError, match="pip install music21"):
        load_tunes()
