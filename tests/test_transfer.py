"""Distillation against SciPy and against its limits; pruning against sorting, its retraining against the tape."""

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from utils import runtime
from utils.datasets.windows import text_blocks
from utils.models.language_model import build_language_model
from utils.runtime import keras, tf
from utils.training.language import recipe
from utils.training.transfer import (
    DistillationLoss,
    KeepZeros,
    fine_tune,
    fit_distilled,
    nonzeros,
    prune,
    retrain,
)
from utils.training.truncated import fit_truncated

SYMBOLS = 7
RNG = np.random.default_rng(0)
TEXT = np.tile([0, 1, 2, 3, 1, 4, 6, 5], 200)


@pytest.fixture(autouse=True)
def seed():
    runtime.set_seed(0)


def small(units: int = 6):
    return build_language_model(SYMBOLS, units, embedding=4)


@pytest.mark.parametrize(("temperature", "weight"), [(1.0, 0.3), (4.0, 1.0), (2.0, 0.0)])
def test_the_loss_is_its_equation(temperature, weight):
    came, student, teacher = RNG.integers(SYMBOLS, size=(2, 5)), *RNG.normal(0, 2, (2, 2, 5, SYMBOLS))
    hard = -np.take_along_axis(log_softmax(student, axis=-1), came[..., None], axis=-1)[..., 0]
    soft = -np.sum(softmax(teacher / temperature, axis=-1) * log_softmax(student / temperature, axis=-1), axis=-1)
    expected = np.mean((1 - weight) * hard + weight * temperature**2 * soft)
    targets = np.concatenate([came[..., None], teacher], axis=-1)
    assert float(DistillationLoss(temperature, weight)(targets, student)) == pytest.approx(expected, rel=1e-5)


def test_its_gradient_hardly_depends_on_the_temperature_when_that_is_high():
    """Hinton 2015, section 2.1: for T far above the logits it is (z - v) / symbols, for logits of mean zero."""
    student, teacher = RNG.normal(size=(2, 3, SYMBOLS))
    student, teacher = (array - array.mean(axis=-1, keepdims=True) for array in (student, teacher))
    z = tf.Variable(student)
    with tf.GradientTape() as tape:
        targets = np.concatenate([np.zeros((3, 1)), teacher], axis=-1)
        loss = 3 * DistillationLoss(1000.0, 1.0, name="hot").call(tf.constant(targets), z)
    np.testing.assert_allclose(tape.gradient(loss, z) / 3, (student - teacher) / SYMBOLS, atol=1e-3)


@pytest.mark.parametrize(("temperature", "weight"), [(0, 0.5), (1, -0.1), (1, 1.1)])
def test_the_loss_refuses(temperature, weight):
    with pytest.raises(ValueError, match="expected more than 0, and a share"):
        DistillationLoss(temperature, weight)


def test_without_weight_the_teacher_has_no_say():
    """The same weights, bit for bit, as from the text alone on the same blocks."""
    first, second = small(), small()
    second.set_weights(first.get_weights())
    logits = RNG.normal(size=(len(TEXT), SYMBOLS))
    losses = fit_distilled(first, TEXT, logits, weight=0.0, updates=12, rows=4, length=8)["loss"]
    expected = fit_truncated(second, text_blocks(TEXT, 4, 8, 12), **recipe(12))["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_a_student_learns_a_teacher_that_contradicts_the_text():
    """All weight on a teacher that always expects a 6: the student does so as well, whatever stands in the text."""
    logits = np.where(np.arange(SYMBOLS) == 6, 5.0, 0.0) * np.ones((len(TEXT), 1))
    student = small()
    fit_distilled(student, TEXT, logits, weight=1.0, updates=60, rows=4, length=8)
    said = softmax(student(TEXT[None, :50])[0, 5:], axis=-1)
    np.testing.assert_allclose(said, np.tile(softmax(logits[0]), (45, 1)), atol=0.05)


@pytest.mark.parametrize("shape", [(1500, SYMBOLS), (1601, SYMBOLS), (1600,)])
def test_logits_of_another_text_are_refused(shape):
    with pytest.raises(ValueError, match="expected a row for each"):
        fit_distilled(small(), TEXT, np.zeros(shape))


def test_pruning_takes_the_smallest_of_each_matrix():
    model = small()
    before = model.get_weights()
    prune(model, 0.25)
    for old, new in zip(before, model.get_weights(), strict=True):
        if old.ndim == 1:
            np.testing.assert_array_equal(old, new)
            continue
        zeros = round(0.25 * old.size)
        assert np.count_nonzero(new == 0) == zeros
        assert np.abs(old[new == 0]).max() <= np.abs(new[new != 0]).min()
        np.testing.assert_array_equal(new[new != 0], old[new != 0])
    matrices = sum(w.size - round(0.25 * w.size) for w in before if w.ndim > 1)
    assert nonzeros(model) == matrices + sum(np.count_nonzero(w) for w in before if w.ndim == 1)


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=f"share is {share}"):
        prune(small(), share)


def test_retraining_keeps_zeros_and_moves_the_rest():
    model = small()
    prune(model, 0.5)
    before = model.get_weights()
    losses = retrain(model, TEXT, updates=60, rows=4, length=8, rate=0.03)["loss"]
    assert losses[-1] < 0.8 * losses[0]
    for old, new in zip(before, model.get_weights(), strict=True):
        if old.ndim > 1:
            np.testing.assert_array_equal(new[old == 0], 0)
            assert np.mean(new[old != 0] != old[old != 0]) > 0.9
    assert np.count_nonzero(before[3]) < np.count_nonzero(model.get_weights()[3])  # biases that began at zero move


def test_keeping_zeros_is_adamw_on_masked_gradients():
    settings = {"learning_rate": 0.05, "weight_decay": 0.01, "beta_2": 0.99, "global_clipnorm": 1.0}
    start = RNG.normal(size=(4, 3)).astype("float32")
    start[0] = 0
    mask = (start != 0).astype("float32")
    ours, theirs = keras.Variable(start), keras.Variable(start)
    keeping, plain = KeepZeros(**settings), keras.optimizers.AdamW(**settings)
    for _ in range(6):
        gradient = RNG.normal(size=(4, 3)).astype("float32")
        keeping.apply([tf.constant(gradient)], [ours])
        plain.apply([tf.constant(gradient * mask)], [theirs])
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    np.testing.assert_array_equal(ours.numpy()[0], 0)


def test_without_zeros_retraining_is_training_on():
    first, second = small(), small()
    second.set_weights(first.get_weights())
    runtime.set_seed(1)
    losses = retrain(first, TEXT, updates=12, rows=4, length=8)["loss"]
    runtime.set_seed(1)
    rolled = np.roll(TEXT, -np.random.randint(len(TEXT)))
    expected = fit_truncated(second, text_blocks(rolled, 4, 8, 12), **recipe(12, 0.01))["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


OTHER = np.tile([6, 5, 4, 6, 3, 2], 200)


def test_fine_tuning_without_replay_is_training_that_goes_on():
    """The same weights as from the same blocks with a fresh optimizer."""
    first, second = small(), small()
    second.set_weights(first.get_weights())
    runtime.set_seed(3)
    losses = fine_tune(first, TEXT, updates=12, rows=4, length=8, rate=0.02)["loss"]
    runtime.set_seed(3)
    text = np.roll(TEXT, -np.random.randint(len(TEXT)))
    expected = fit_truncated(second, text_blocks(text, 4, 8, 12), **recipe(12, 0.02))["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_replay_gives_the_old_text_its_rows(monkeypatch):
    read = []
    monkeypatch.setattr("utils.training.transfer.fit_truncated", lambda model, blocks, **_: read.extend(blocks))
    fine_tune(None, np.arange(400), old=1000 + np.arange(400), share=0.25, updates=14, rows=8, length=5)
    assert [x.shape for x, _ in read] == [(8, 5)] * 14
    for x, y in read:
        np.testing.assert_array_equal((x >= 1000).sum(axis=1), [0] * 6 + [5] * 2)
        inside = ~np.isin(x % 1000, [399])  # the text is rolled: its end is followed by its beginning
        np.testing.assert_array_equal(y[inside], x[inside] + 1)
    for (x, _), (following, _) in itertools.pairwise(read[:13]):  # rows go on from block to block
        ends, begins = x[:, -1], following[:, 0]
        np.testing.assert_array_equal(begins % 1000, (ends + 1) % 1000 % 400)


def test_replay_keeps_what_fine_tuning_forgets():
    """Two texts that contradict each other: after 2 comes 3 in one, 6 in the other."""
    symbols = [np.tile([0, 1, 2, 3], 300), np.tile([4, 5, 2, 6], 300)]
    kept = {}
    for share in (None, 0.25):
        model = small(16)
        fit_truncated(model, text_blocks(symbols[0], 8, 8, 120), **recipe(120))
        fine_tune(model, symbols[1], updates=80, rows=8, length=8, rate=0.03, **_replayed(symbols[0], share))
        said = softmax(model(symbols[0][None, :40])[0], axis=-1)
        kept[share] = np.mean(said[np.arange(7, 39), symbols[0][8:40]])
    assert kept[0.25] > 0.9
    assert kept[None] < 0.7


def _replayed(old, share):
    return {} if share is None else {"old": old, "share": share}


@pytest.mark.parametrize(("share", "rows"), [(0.0, 32), (0.01, 32), (1.0, 32), (0.1, 4), (-0.2, 32)])
def test_a_replay_of_no_row_or_every_row_is_refused(share, rows):
    with pytest.raises(ValueError, match="expected at least one row for the old text"):
        fine_tune(small(), TEXT, old=OTHER, share=share, rows=rows)


def test_a_text_too_short_to_replay_is_refused():
    with pytest.raises(ValueError, match="The text has 20 symbols"):
        fine_tune(small(), TEXT, old=OTHER[:20], updates=10, rows=8, length=16, share=0.25)
