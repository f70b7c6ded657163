"""Spoken words from the synthesiser eSpeak NG, in many accents and voices, and what a network hears of them.

The synthesiser comes with the package ``espeakng-loader`` (GPL, used as it is). Sounds have 8,000 samples a second, as
on a telephone. Taught in lesson 06.
"""

import contextlib
import ctypes
import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from utils import private
from utils.runtime import tf

RATE = 8000  # samples a second
PEAK = 0.5  # of every sound, of at most 1
FRAME, STEP, BANDS = 256, 128, 24  # samples of a frame, samples to the next one, bands of pitch: 62 frames a second
ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
# Speakers that whisper, croak, sing like a robot or race: not what a word is usually heard from.
EFFECTS = ("whisper", "croak", "robo", "Robot", "Demonic", "fast", "Tweaky", "kaukovalta", "AnxiousAndy", "Storm")


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how.

    Args:
        language: as eSpeak NG names it, see :func:`languages`; ``ACCENTS`` are six kinds of English.
        speaker: one of :func:`speakers`; the language's own when not given.
        speed: words a minute, 80 to 450.
        pitch: 0 (low) to 99 (high).

    Raises:
        ValueError: a speed or pitch outside its range.
    """

    language: str = "en-us"
    speaker: str | None = None
    speed: int = 160
    pitch: int = 50

    def __post_init__(self) -> None:
        if not (80 <= self.speed <= 450 and 0 <= self.pitch <= 99):
            raise ValueError(
                f"speed is {self.speed} words a minute and pitch {self.pitch}; expected 80 to 450 and 0 to 99."
            )


def available() -> bool:
    """Whether the synthesiser is installed on this machine."""
    return importlib.util.find_spec("espeakng_loader") is not None


@functools.cache
def languages() -> tuple[str, ...]:
    """The names of the languages and accents that can be spoken, such as ``en`` (British), ``en-us``, ``fr`` or ``de``.

    Raises:
        ModuleNotFoundError: (here and below) the synthesiser is not installed; says what to do.
    """
    names = {path.name.lower() for path in (_folder() / "lang").rglob("*") if path.is_file()}
    return tuple(sorted(names))


@functools.cache
def speakers(effects: bool = False) -> tuple[str, ...]:
    """The names of the speakers, each of whom can speak every language.

    Args:
        effects: also those that are an effect rather than a person: whispers, croaks, robots.
    """
    names = sorted(path.name for path in (_folder() / "voices" / "!v").iterdir())
    return tuple(name for name in names if effects or not any(effect in name for effect in EFFECTS))


@functools.lru_cache(maxsize=20_000)
def speak(text: str, voice: Voice = Voice()) -> np.ndarray:
    """The sound of a text; the same, sample by sample, whatever was spoken before. Kept for the life of the process.

    Args:
        text: what to say.
        voice: who says it, and how.

    Returns:
        Samples between -0.5 and 0.5, float32, shape (samples,), 8,000 a second, read-only. Silence at both ends is cut.

    Raises:
        ValueError: an empty text, one without a sound in it, or a language or speaker that is not there.
    """
    if not text.strip():
        raise ValueError(f"The text is {text!r}; expected something to say.")
    if voice.language not in languages():
        alike = [name for name in languages() if name[:2] == voice.language[:2]] or languages()
        raise ValueError(f"Unknown language {voice.language!r}; expected one of {', '.join(alike)} (see languages()).")
    if voice.speaker is not None and voice.speaker not in speakers(effects=True):
        raise ValueError(f"Unknown speaker {voice.speaker!r}; expected one of {', '.join(speakers())}.")
    raw, rate = _synthesise(text, voice)
    sound = resample_poly(raw.astype(np.float64), RATE, rate)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max(initial=0))
    if len(loud) == 0:
        raise ValueError(f"{text!r} has no sound in {voice.language}; expected words or numbers.")
    sound = sound[loud[0] : loud[-1] + 1]
    sound = (PEAK / np.abs(sound).max() * sound).astype(np.float32)
    sound.flags.writeable = False
    return sound


def split_speakers(rng: np.random.Generator, validation: int = 12, test: int = 24) -> tuple[tuple[str, ...], ...]:
    """Speakers to train on, to choose settings on and to test on; nobody is in two of the three.

    Names that differ only in a number (``klatt2``, ``klatt3``) are one person in several moods and stay together.

    Args:
        rng: NumPy generator.
        validation, test: at least so many speakers in these parts; the rest is for training.

    Returns:
        ``(train, validation, test)``, names.

    Raises:
        ValueError: a size below 1, or so many that none is left to train on.
    """
    people: dict[str, list[str]] = {}
    for name in speakers():
        # m1 ... m8 and f1 ... f5 are different people
        person = name if len(name.rstrip("0123456789")) == 1 else name.rstrip("0123456789")
        people.setdefault(person, []).append(name)
    if validation < 1 or test < 1 or validation + test >= len(people):
        raise ValueError(
            f"validation is {validation} and test {test}; expected at least 1 each, together below {len(people)}."
        )
    parts: list[list[str]] = [[], [], []]
    for i in rng.permutation(len(people)):
        part = 1 if len(parts[1]) < validation else 2 if len(parts[2]) < test else 0
        parts[part] += list(people.values())[i]
    return tuple(tuple(sorted(part)) for part in parts)


def draw_voice(speakers: Sequence[str], rng: np.random.Generator, accents: Sequence[str] = ACCENTS) -> Voice:
    """A voice by chance: one of the speakers and accents, 130 to 190 words a minute, pitch 30 to 70."""
    return Voice(
        accents[rng.integers(len(accents))],
        speakers[rng.integers(len(speakers))],
        int(rng.integers(130, 191)),
        int(rng.integers(30, 71)),
    )


def add_noise(sound: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """A sound under white noise.

    Args:
        sound: shape (time,), not silent.
        decibels: ten times the logarithm of the power of the sound over that of the noise, both over the whole length;
            0 is as much noise as sound.
        rng: NumPy generator.

    Raises:
        ValueError: a silent sound, to which no noise stands in any ratio.
    """
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    if power == 0:
        raise ValueError("The sound is silent; expected one with some power, to which the noise can be set.")
    deviation = np.sqrt(power / 10 ** (decibels / 10))
    return (sound + rng.normal(0, deviation, len(sound))).astype(np.float32)


def log_mel(sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What a network hears: how loud each of 24 bands of pitch is, 62 times a second.

    The mel scale spaces the bands as the ear does, narrow below and wide above (Stevens, Volkmann and Newman 1937). A
    frame is 256 samples (32 ms) under a Hann window, and the next one begins 128 samples later.

    Args:
        sounds: each of shape (samples,), at least 256 samples; they may differ in length.

    Returns:
        For each sound the natural logarithms of the power, float32, shape (frames, 24); frames = 1 + (samples - 256) //
        128.

    Raises:
        ValueError: no sounds, one of another shape, or one too short for a frame.
    """
    shapes = [np.shape(sound) for sound in sounds]
    if not shapes or any(len(shape) != 1 or shape[0] < FRAME for shape in shapes):
        raise ValueError(f"The sounds have shapes {shapes[:5]}; expected (samples,) with at least {FRAME} samples.")
    together = np.zeros((len(shapes), max(shapes)[0]), np.float32)
    for row, sound in zip(together, sounds, strict=True):
        row[: len(sound)] = sound
    spectrum = np.square(np.abs(tf.signal.stft(together, FRAME, STEP)))  # (sounds, frames, 129)
    heard = np.log(spectrum @ _mel_bands() + 1e-4)
    return [frames[: 1 + (shape[0] - FRAME) // STEP] for frames, shape in zip(heard, shapes, strict=True)]


@functools.cache
def _mel_bands() -> np.ndarray:
    """How much of each of 129 frequencies belongs to each band, (129, 24)."""
    return tf.signal.linear_to_mel_weight_matrix(BANDS, FRAME // 2 + 1, RATE, 60.0, RATE / 2).numpy()


def _folder() -> Path:
    if not available():
        raise ModuleNotFoundError(
            "The speech synthesiser eSpeak NG is missing: this needs the package espeakng-loader. Install it with "
            "pip install espeakng-loader, or leave out what is spoken; all else works without it."
        )
    import espeakng_loader

    return Path(espeakng_loader.get_data_path())


def _synthesise(text: str, voice: Voice) -> tuple[np.ndarray, int]:
    """16-bit samples from the C library of eSpeak NG, and how many there are in a second.

    How a voice wavers depends on the clock and on all that was said before. So the library is loaded and seeded anew.
    """
    import espeakng_loader

    on_samples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    heard = []

    @on_samples
    def keep(samples, count, _events):
        if samples and count > 0:
            heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    with private.fresh_library(espeakng_loader.get_library_path()) as library:
        rate = library.espeak_Initialize(2, 0, str(_folder()).encode(), 0)  # 2: to the callback, and wait
        if rate <= 0:
            raise OSError(f"eSpeak NG did not start (code {rate}); expected its data in {_folder()}.")
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # else the clock chooses how the voice wavers
        with contextlib.suppress(AttributeError):  # Windows does not find it this way; a few voices breathe by it
            library.srand(1)
        library.espeak_SetSynthCallback(keep)
        name = voice.language + (f"+{voice.speaker}" if voice.speaker else "")
        if library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {name!r}; see languages() and speakers().")
        library.espeak_SetParameter(1, voice.speed, 0)
        library.espeak_SetParameter(3, voice.pitch, 0)
        spoken = text.encode() + b"\0"
        library.espeak_Synth(spoken, len(spoken), 0, 1, 0, 1, None, None)  # 1: by character; 1: UTF-8
        library.espeak_Synchronize()
        library.espeak_Terminate()
    return (np.concatenate(heard) if heard else np.zeros(0, np.int16)), rate
