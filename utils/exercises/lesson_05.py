"""What the answers to the exercises of lesson 05 must do."""

import tempfile
from pathlib import Path

import numpy as np

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number


@exercise("05 contiguous")
def contiguous(answer) -> None:
    """Blocks whose row i goes on where row i of the block before ended; what does not fill a block is left out."""
    for steps, rows, length in ((24, 2, 3), (31, 3, 2), (45, 4, 5)):
        series = np.arange(steps) + 100
        blocks = steps // rows // length
        part = steps // rows
        expected = np.stack([series[row * part :][: blocks * length].reshape(blocks, length) for row in range(rows)], 1)
        got = array(call(answer, series.copy(), rows, length), np.shape(expected), "the array of blocks")
        where = f"for the numbers {series[0]} to {series[-1]} in {rows} rows and blocks of {length}"
        in_turn = series[: blocks * rows * length].reshape(blocks, rows, length)
        if np.array_equal(got, expected):
            continue
        if np.array_equal(got, in_turn):
            raise Wrong(
                f"{where}, row 0 is {in_turn[0, 0].tolist()} in the first block and {in_turn[1, 0].tolist()} in the "
                "second: it does not go on where it ended. Cut the series into one part per row first."
            )
        even = series[: blocks * rows * length].reshape(rows, blocks, length).swapaxes(0, 1)
        if np.array_equal(got, even):
            raise Wrong(
                f"{where}, each row goes on, but row 1 begins at {even[0, 1, 0]}, expected {expected[0, 1, 0]}: the "
                f"parts are {part} numbers long. Leave out what is too much at the end of each part."
            )
        place = tuple(int(i) for i in np.argwhere(got != expected)[0])
        raise Wrong(f"{where}, the number at {place} is {got[place]:g}, expected {expected[place]}.")


@exercise("05 what the cut leaves")
def what_the_cut_leaves(answer) -> None:
    """The slope of the last memory with regard to each reading, where the gradient ends at the last cut."""
    for steps, w, cut in ((10, 0.5, 4), (8, 0.5, 4), (5, 0.9, 8)):
        ages = np.arange(steps)[::-1]
        seen = ages < steps - (steps - 1) // cut * cut
        expected = np.where(seen, w**ages, 0.0)
        got = array(call(answer, steps, w, cut), (steps,), "the slopes")
        where = f"for {steps} readings, w = {w:g} and a cut before every step that {cut} divides"
        if np.allclose(got, expected):
            continue
        if np.allclose(got, w**ages):
            raise Wrong(f"{where} you give every reading its slope, as if nothing were cut.")
        if np.allclose(got, np.where(ages < cut, w**ages, 0.0)):
            raise Wrong(
                f"{where} you look back {cut} steps from the end. The cuts stand at fixed steps: the last one before "
                f"step {(steps - 1) // cut * cut}."
            )
        if np.allclose(got[::-1], expected):
            raise Wrong(f"{where} the order is turned round: the age of the last reading is 0.")
        if steps % cut == 0 and not np.any(got):
            raise Wrong(
                f"{where} nothing is left. The next cut would stand before step {steps}, which has not been read."
            )
        place = int(np.flatnonzero(~np.isclose(got, expected))[0])
        raise Wrong(f"{where} the slope at reading {place} is {got[place]:g}, expected {expected[place]:g}.")


@exercise("05 average")
def average(answer) -> None:
    """The gradient of the whole batch from the workers' means, whose shares are of different size."""
    rng = np.random.default_rng(0)
    for sizes in ([4, 4], [6, 2], [1, 5, 10]):
        gradients = [rng.normal(size=3) for _ in sizes]
        expected = np.average(gradients, axis=0, weights=sizes)
        got = array(call(answer, [g.copy() for g in gradients], list(sizes)), (3,), "the gradient")
        where = f"for shares of {' and '.join(map(str, sizes))} rows"
        if np.allclose(got, expected):
            continue
        if np.allclose(got, np.mean(gradients, axis=0)):
            raise Wrong(f"{where} you average as if they were equal; a row in a small share then counts for more.")
        if np.allclose(got, np.sum(gradients, axis=0)):
            raise Wrong(f"{where} you add up. Each gradient is already a mean over its own share.")
        if np.allclose(got, expected * sum(sizes)) or np.allclose(got, expected * sum(sizes) / len(sizes)):
            raise Wrong(f"{where} you weigh by the rows, as you should; now divide by all rows together, {sum(sizes)}.")
        raise Wrong(f"{where} the first number is {got[0]:.4f}, expected {expected[0]:.4f}.")


@exercise("05 learning rate")
def learning_rate(answer) -> None:
    """Up on a straight line to the peak, then down half a cosine to zero."""
    for peak, warmup, total in ((1.0, 10, 110), (0.02, 100, 1000), (0.5, 0, 20)):

        def cosine(done, peak=peak):
            return peak * (1 + np.cos(np.pi * done)) / 2

        for step in sorted({0, warmup // 2, warmup, (warmup + total) // 2, (warmup + 3 * total) // 4, total}):
            up = step < warmup
            expected = peak * step / warmup if up else cosine((step - warmup) / (total - warmup))
            got = number(call(answer, step, peak, warmup, total), "the rate")
            where = f"at step {step} of {total}, with a warm-up of {warmup} to {peak:g}, the rate is {got:.4g}"
            if np.isclose(got, expected, atol=1e-9):
                continue
            if np.isclose(got, cosine(step / total), atol=1e-9) and up:
                raise Wrong(f"{where}: there is no warm-up. Expected {expected:.4g}.")
            if np.isclose(got, cosine(step / total), atol=1e-9):
                raise Wrong(f"{where}: the cosine should begin when the warm-up ends. Expected {expected:.4g}.")
            if np.isclose(got, cosine((step - warmup) / total), atol=1e-9):
                raise Wrong(f"{where}: the cosine has {total - warmup} steps to come down, not {total}.")
            if not up and np.isclose(got, peak * (1 - (step - warmup) / (total - warmup)), atol=1e-9):
                raise Wrong(f"{where}: that is a straight line down; expected half a cosine, {expected:.4g}.")
            raise Wrong(f"{where}, expected {expected:.4g}.")


@exercise("05 save")
def save(answer) -> None:
    """All parts in the file, or the old file as it was."""

    def cut_off():
        yield "half of the "
        raise ConnectionError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.txt"
        path.write_text("old", encoding="utf-8")
        before = path.stat().st_ino
        try:
            call(answer, path, iter(["new ", "text"]))
        except NotAttempted:
            if path.exists() and path.read_text(encoding="utf-8") == "old":
                raise
            raise Wrong("your function returns nothing; let it return path.") from None
        text = path.read_text(encoding="utf-8") if path.exists() else None
        if text is None:
            raise Wrong("after saving there is no file at the path. os.replace moves the finished file there.")
        if text == "oldnew text":
            raise Wrong("the file now holds 'oldnew text': the new text stands behind the old one. Begin a new file.")
        if text != "new text":
            raise Wrong(f"the file holds {text!r} after saving 'new ' and 'text', expected 'new text'.")
        replaced = path.stat().st_ino != before
        try:
            answer(path, cut_off())
        except ConnectionError:
            pass
        else:
            raise Wrong(
                "the parts broke off with an error and your function swallowed it; the caller has to hear of it."
            )
        text = path.read_text(encoding="utf-8") if path.exists() else None
        if text is None:
            raise Wrong("the parts broke off, and the old file is gone. Do not delete it; os.replace takes its place.")
        if text != "new text":
            raise Wrong(f"the parts broke off, and of the old file {text!r} is left. Write to another file first.")
        if not replaced:
            raise Wrong(
                "the text is right, but it was written into the old file itself: a machine that dies in the middle "
                "leaves half of it. Write to another file and move it with os.replace."
            )
