"""Fiddle tunes in ABC notation: letters that can be read by a network of characters, drawn as notes and played.

The tunes are those of *Ryan's Mammoth Collection* (Boston 1883, public domain), typed by volunteers. They lie in the
package ``music21``, whose files are read by path; the library itself is not imported. Notation: the ABC standard 2.1
(abcnotation.com). Taught in lesson 06.
"""

import contextlib
import importlib.util
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.datasets.speech import PEAK, RATE

_FIELD = re.compile(r"^([A-Za-z]):\s*(.*)$")
# Titles and fingerings in quotes, grace notes, decorations, comments, line breaks, and what mail programs left behind.
_ORNAMENTS = re.compile(r'"[^"]*"|\{[^}]*\}|![^!]*!|%.*|=20$|=(?![A-Ga-g])|[H-Wh-wy.~`$+}\\\s]|\((?!\d)|\)')
_TOKEN = re.compile(
    r"(?P<bar>:*\[?\|[\]|:]*\d?|:+|\]|\[\d)"
    r"|\((?P<tuplet>[2-9])(?::(?P<into>\d?)(?::(?P<among>\d?))?)?"
    r"|(?P<chord>\[)(?P<inside>[^\[\]|]+)\](?P<chord_length>\d*/*\d*)(?P<chord_tie>-?)"
    r"|(?P<accidental>[_=^]{0,2})(?P<letter>[A-Ga-gxz])(?P<octave>[,']*)(?P<length>\d*/*\d*)(?P<tie>-?)"
    r"|(?P<broken>[<>]+)"
)
_SEMITONES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
_FIFTHS = {letter: i for i, letter in enumerate("FCGDAEB", start=-1)}  # sharps of its major key
_MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "mix": -1,
    "dor": -2,
    "m": -3,
    "min": -3,
    "aeo": -3,
    "phr": -4,
    "loc": -5,
    "lyd": 1,
}
_INTO = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # a tuplet of so many in the time of so many


class Note(NamedTuple):
    """A note: MIDI number (60 is middle C, 12 to an octave), when it begins and how long it lasts, in quarter notes."""

    pitch: int
    start: Fraction
    length: Fraction


@dataclass(frozen=True)
class Tune:
    """A tune, its ornaments left out.

    ``meter`` is such as 6/8, ``unit`` the note that a letter without a number stands for (1/8), ``key`` such as G or
    Ador, and ``body`` the notes in ABC without white space.
    """

    meter: str
    unit: str
    key: str
    body: str
    title: str = ""
    kind: str = ""

    @property
    def text(self) -> str:
        """The tune in one line, for a network to read: ``6/8 1/8 G |:GBd...``."""
        return f"{self.meter} {self.unit} {self.key} {self.body}"


def available() -> bool:
    """Whether the tunes are on this machine."""
    return importlib.util.find_spec("music21") is not None


def load_tunes() -> list[Tune]:
    """The tunes of the collection in the order of their titles, 1,024 of 1,059.

    Those that change key or meter on the way are left out, and four in which a slip of typing cannot be read.

    Raises:
        ModuleNotFoundError: the package with the tunes is not installed; says what to do.
    """
    if not available():
        raise ModuleNotFoundError(
            "The fiddle tunes are missing: they come with the package music21. Install it with pip install music21, or "
            "leave out what is about music; all else works without it."
        )
    folder = Path(importlib.util.find_spec("music21").origin).parent / "corpus" / "ryansMammoth"
    tunes = []
    for path in sorted(folder.glob("*.abc")):
        fields, body = {}, []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if field := _FIELD.match(line):
                name = field[1] if field[1] not in fields else f"{field[1]} again"
                fields.setdefault(name, field[2].strip())
            else:
                body.append(line)
        text = "".join(_ORNAMENTS.sub("", line) for line in body)
        meter = {"C": "4/4", "C|": "2/2"}.get(fields["M"], fields["M"])
        unit = fields.get("L") or ("1/16" if Fraction(meter) < Fraction(3, 4) else "1/8")  # as the standard says
        tune = Tune(meter, unit, _key(fields["K"]), text, fields["T"], fields.get("R", ""))
        changes = fields.keys() & {"K again", "M again", "L again"} or re.search(r"\[[A-Za-z]:", text)
        with contextlib.suppress(ValueError):  # a slip of the one who typed it
            if not changes and notes(tune):
                tunes.append(tune)
    return tunes


def read_tune(text: str) -> Tune:
    """The tune in a line such as ``Tune.text`` gives.

    Raises:
        ValueError: the line does not begin with a meter, a unit and a key.
    """
    if not re.match(r"\d+/\d+ 1/\d+ [A-G][#b]?(m|mix|dor|phr|lyd|loc)? \S", text):
        raise ValueError(f"{text[:40]!r} is no tune; expected meter, unit, key and notes, such as '6/8 1/8 G GBd'.")
    return Tune(*text.split()[:3], "".join(text.split()[3:]))


def notes(tune: Tune) -> list[Note]:
    """What is to be played, once through without repeats, in the order in which the notes begin.

    A sharp or flat holds for its letter, in every octave, to the end of the bar; a tie joins two notes.

    Args:
        tune: as from :func:`load_tunes` or :func:`read_tune`.

    Raises:
        ValueError: a character that is no ABC, or a key that is not known; says where.
    """
    unit = 4 * Fraction(tune.unit)  # in quarter notes
    signature = _signature(tune.key)
    bar: dict[str, int] = {}  # accidentals since the last bar line
    played: list[list] = []
    now, place = Fraction(0), 0
    group: list[tuple[int, Fraction]] = []  # notes of the last sound: their place in the list
    tied: dict[int, int] = {}  # pitch of notes that wait for the rest of them, and their place
    ratio, left = Fraction(1), 0  # of a tuplet
    longer = Fraction(1)  # what a broken rhythm leaves to the next sound

    while place < len(tune.body):
        token = _TOKEN.match(tune.body, place)
        if not token or not token[0]:
            raise ValueError(f"{tune.body[place : place + 12]!r} at position {place} is no note, rest or bar of ABC.")
        place = token.end()
        if token["bar"]:
            bar = {}
        elif token["tuplet"]:
            many = int(token["tuplet"])
            compound = int(tune.meter.split("/")[0]) % 3 == 0 and tune.meter != "3/4"
            into = int(token["into"] or _INTO.get(many, 3 if compound else 2))
            ratio, left = Fraction(into, many), int(token["among"] or many)
        elif token["broken"]:
            if not group:
                raise ValueError(f"{token[0]!r} at position {token.start()} stands after no note.")
            part = Fraction(1, 2 ** len(token["broken"]))
            mine, longer = (2 - part, part) if token["broken"][0] == ">" else (part, 2 - part)
            length = group[0][1]
            now += length * (mine - 1)
            for i, _ in group:
                if i >= 0:
                    played[i][2] += length * (mine - 1)
        else:
            inside = token["inside"] or token[0]
            sounds = [s for s in _TOKEN.finditer(inside) if s["letter"]]
            length = unit * longer * (ratio if left else 1) * (_length(token["chord_length"]) if token["chord"] else 1)
            left, longer = max(0, left - 1), Fraction(1)
            waiting, tied, group = tied, {}, []
            for sound in sounds:
                lasts = length * _length(sound["length"])
                if sound["letter"] in "xz":
                    group.append((-1, lasts))
                    continue
                pitch = _pitch(sound, signature, bar)
                if pitch in waiting:
                    i = waiting[pitch]
                    played[i][2] += lasts
                else:
                    i = len(played)
                    played.append([pitch, now, lasts])
                group.append((i, lasts))
                if sound["tie"] or token["chord_tie"]:
                    tied[pitch] = i
            if not sounds:
                raise ValueError(f"{token[0]!r} at position {token.start()} holds no note.")
            now += group[0][1]
    return [Note(*note) for note in played]


def play(score: list[Note], quarter: float = 0.5) -> np.ndarray:
    """The sound of some notes, as of plucked strings: overtones that die away, the high ones first.

    Args:
        score: as from :func:`notes`.
        quarter: seconds that a quarter note lasts.

    Returns:
        Samples between -0.5 and 0.5, float32, shape (samples,), 8,000 a second.

    Raises:
        ValueError: no note, or a tempo of 0 or below.
    """
    if not score or quarter <= 0:
        raise ValueError(f"{len(score)} notes at {quarter} seconds a quarter; expected at least one, and above 0.")
    ring = 0.3  # seconds after its end
    end = max(float(note.start + note.length) for note in score) * quarter + ring
    sound = np.zeros(int(end * RATE) + 1)
    for note in score:
        start = int(float(note.start) * quarter * RATE)
        time = np.arange(int((float(note.length) * quarter + ring) * RATE)) / RATE
        frequency = 440 * 2 ** ((note.pitch - 69) / 12)
        for overtone in range(1, 7):
            if overtone * frequency < RATE / 2:  # higher ones cannot be told apart at this rate
                wave = np.sin(2 * np.pi * overtone * frequency * time) * np.exp(-3 * overtone * time)
                sound[start : start + len(time)] += wave[: len(sound) - start] / overtone
    return (PEAK / np.abs(sound).max() * sound).astype(np.float32)


def _key(written: str) -> str:
    """A key as ``Tune`` has it: ``D dor`` becomes ``Ddor``, ``A minor`` ``Am``, ``EM``, written for E minor, ``Em``."""
    match = re.match(r"([A-G][#b]?)\s*([A-Za-z]*)", written)
    mode = match[2][:3].lower()
    mode = "m" if mode in ("m", "min", "aeo") else "" if mode in ("maj", "ion") else mode
    return match[1] + (mode if mode in _MODES else "")


def _signature(key: str) -> dict[str, int]:
    """What the key does to each letter: ``{"F": 1, "C": 1}`` in D major."""
    match = re.fullmatch(r"([A-G])([#b]?)([a-z]*)", key)
    if not match or match[3] not in _MODES:
        raise ValueError(f"Unknown key {key!r}; expected a letter and a mode, such as G, Bb, Am or Ador.")
    sharps = _FIFTHS[match[1]] + {"#": 7, "b": -7, "": 0}[match[2]] + _MODES[match[3]]
    return dict.fromkeys("FCGDAEB"[:sharps], 1) if sharps > 0 else dict.fromkeys("BEADGCF"[:-sharps], -1)


def _length(text: str) -> Fraction:
    """``3`` is 3, ``3/2`` is 3/2, ``/`` is 1/2, ``//`` is 1/4, nothing is 1."""
    number, slashes, divisor = re.fullmatch(r"(\d*)(/*)(\d*)", text or "").groups()
    divided = Fraction(int(divisor)) if divisor else Fraction(2 ** len(slashes))
    if divided == 0 or number == "0":
        raise ValueError(f"A note of length {text!r}; expected one above 0.")
    return Fraction(int(number or 1)) / divided


def _pitch(sound: re.Match, signature: dict[str, int], bar: dict[str, int]) -> int:
    """The MIDI number of a note, and its accidental noted for the rest of the bar."""
    letter = sound["letter"].upper()
    if sound["accidental"]:
        bar[letter] = sum({"^": 1, "_": -1, "=": 0}[mark] for mark in sound["accidental"])
    shift = bar.get(letter, signature.get(letter, 0))
    octave = sound["letter"].islower() + sound["octave"].count("'") - sound["octave"].count(",")
    return 60 + 12 * octave + _SEMITONES[letter] + shift
