"""Spoken words: reproducible, from separate speakers, with noise as asked for, in bands that hold to a reference."""

import multiprocessing

import numpy as np
import pytest
import scipy.signal

from utils.datasets import speech
from utils.datasets.speech import RATE, Voice, add_noise, draw_voice, log_mel, speak, split_speakers


def _spoken_alone(asked) -> list[np.ndarray]:
    return [speak(*each) for each in asked]


def test_a_word_sounds_the_same_whatever_was_said_before():
    asked = [("nine four", Voice("en-gb-scotland", speaker, 150, 60)) for speaker in speech.speakers(effects=True)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # starts seconds before, and says other things before
        alone = pool.apply(_spoken_alone, (asked[::-1],))[::-1]
    speak.cache_clear()
    for each, sound in zip(asked, alone, strict=True):
        np.testing.assert_array_equal(speak(*each), sound, err_msg=str(each))


def test_a_sound_is_what_it_says():
    sound = speak("seven")
    assert sound.dtype == np.float32
    assert np.abs(sound).max() == pytest.approx(speech.PEAK, abs=1e-6)
    assert 0.2 < len(sound) / RATE < 1
    assert min(abs(sound[0]), abs(sound[-1])) > 0  # silence is cut
    assert not sound.flags.writeable
    assert speak("seven") is sound  # kept


def _pitch(sound: np.ndarray) -> float:
    """Vibrations a second of a vowel: the lowest line of its spectrum."""
    middle = sound[len(sound) // 4 : 3 * len(sound) // 4]
    strength = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 15))
    lines, _ = scipy.signal.find_peaks(strength, height=0.1 * strength.max(), distance=100)
    return lines[0] * RATE / (1 << 15)


def test_speed_pitch_and_speaker_do_what_they_say():
    slow, fast = (speak("one two three four five", Voice(speed=speed)) for speed in (100, 300))
    assert len(slow) > 2 * len(fast)
    low, high = (_pitch(speak("aaah", Voice(pitch=pitch))) for pitch in (0, 99))
    assert high > 2 * low > 80
    voices = [Voice(), Voice("en-gb-scotland"), Voice(speaker="f3"), Voice("fr")]
    sounds = [speak("nine", voice).tobytes() for voice in voices]
    assert len(set(sounds)) == len(voices)


def test_every_speaker_and_accent_can_speak():
    for i, speaker in enumerate(speech.speakers()):
        assert len(speak("six", Voice(speech.ACCENTS[i % len(speech.ACCENTS)], speaker))) > RATE / 10


@pytest.mark.parametrize(
    ("text", "voice", "message"),
    [
        (" ", {}, "expected something to say"),
        ("...", {}, "has no sound"),
        ("one", {"language": "en-moon"}, "Unknown language 'en-moon'; expected one of en,"),
        ("one", {"speaker": "nobody"}, "Unknown speaker 'nobody'; expected one of Alex"),
        ("one", {"speed": 20}, "speed is 20 words a minute"),
        ("one", {"pitch": 100}, "pitch 100"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(text, voice, message):
    with pytest.raises(ValueError, match=message):
        speak(text, Voice(**voice))


def test_without_the_synthesiser_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(speech, "available", lambda: False)
    speech.languages.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="pip install espeakng-loader"):
        speak("something never said before")


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_in_two_parts(seed):
    parts = split_speakers(np.random.default_rng(seed), validation=10, test=20)
    assert sorted(sum(parts, ())) == sorted(speech.speakers())
    assert len(parts[1]) >= 10
    assert len(parts[2]) >= 20
    people = [{name.rstrip("0123456789") for name in part if not name[1:].isdigit()} for part in parts]
    assert not any(people[i] & people[j] for i, j in ((0, 1), (0, 2), (1, 2)))


def test_too_many_to_test_on_are_refused():
    with pytest.raises(ValueError, match="together below"):
        split_speakers(np.random.default_rng(0), validation=10, test=80)


def test_drawn_voices_are_of_the_speakers_given():
    rng = np.random.default_rng(0)
    voices = [draw_voice(["f1", "m2"], rng, accents=["en", "en-us"]) for _ in range(50)]
    assert {v.speaker for v in voices} == {"f1", "m2"}
    assert {v.language for v in voices} == {"en", "en-us"}
    assert len({(v.speed, v.pitch) for v in voices}) > 20


def test_noise_has_the_ratio_asked_for():
    rng = np.random.default_rng(0)
    sound = speak("five")
    for decibels in (-5, 0, 10):
        noise = add_noise(sound, decibels, rng) - sound
        measured = 10 * np.log10(np.mean(sound**2) / np.mean(noise**2))
        assert measured == pytest.approx(decibels, abs=0.3)
    with pytest.raises(ValueError, match="silent"):
        add_noise(np.zeros(100), 0, rng)


def test_bands_hold_to_scipy_and_to_the_mel_scale():
    sound = speak("eight")
    longer, heard = log_mel([speak("seventy seven"), sound])
    kwargs = {"boundary": None, "padded": False, "scaling": "spectrum"}
    _, _, spectrum = scipy.signal.stft(sound, RATE, "hann", 256, 128, **kwargs)
    power = np.abs(spectrum.T * 128) ** 2  # (frames, 129); SciPy divides by the sum of the window, 128
    mel = lambda f: 1127 * np.log1p(f / 700)  # noqa: E731
    edges = np.linspace(mel(60), mel(RATE / 2), 26)
    bins = mel(np.arange(129) * RATE / 256)
    triangles = [np.interp(bins, edges[i : i + 3], [0, 1, 0], left=0, right=0) for i in range(24)]
    weights = np.array(triangles).T
    weights[0] = 0
    assert heard.shape == (1 + (len(sound) - 256) // 128, 24)
    assert len(longer) > len(heard)
    np.testing.assert_allclose(heard, np.log(power @ weights + 1e-4), atol=0.02)


def test_sounds_of_another_shape_are_refused():
    for sounds in ([], [np.zeros(100)], [np.zeros((2, 1000))]):
        with pytest.raises(ValueError, match=r"expected \(samples,\) with at least 256"):
            log_mel(sounds)
