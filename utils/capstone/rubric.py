"""The rubric: each criterion a function that says in words what was given, what was expected and what to do.

Five **conditions** come first. Where one is broken, a measurement means nothing, however good it looks; so they carry
no points, and a submission that breaks one is not accepted. Eight **criteria** share out 100 points. An honest
defeat is accepted: who does everything else right has 60 points.

All numbers are computed here, from predictions and truth, see :mod:`utils.capstone.handover`.
"""

import functools
import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from utils.capstone import handover, sealed, tracks
from utils.capstone.handover import BASELINE, NETWORK, ORDER, SCRAMBLED, WITHOUT, Submission
from utils.evaluation.text import repetition

PASS = 60  # points
RESAMPLES = 2000
LEAST_SAMPLES, LEAST_LENGTH = 5, 200  # of generated text: texts, characters
STRETCH = 20  # characters: a repeated stretch of this length is a repetition
COPY = 60  # characters: a stretch of this length that stands in the training text is a copy
RIGHT, WRONG, OPEN = "right", "wrong", "open"


class Verdict(NamedTuple):
    """What came of one criterion.

    Attributes:
        name, title: in one word and in one sentence.
        state: "right", "wrong", or "open" where there is nothing to judge yet.
        points, of: 0 and 0 for a condition.
        given, expected, advice: sentences; advice is empty where nothing is to be done.
    """

    name: str
    title: str
    state: str
    points: float
    of: int
    given: str
    expected: str
    advice: str = ""


class Report(NamedTuple):
    """What the rubric says about a submission.

    Attributes:
        task: its name, or "" if nothing was handed in.
        conditions, criteria: the verdicts.
        score: the first measure on the sealed part, a mean over seeds; None if nothing was handed in.
        opponent: that of the strongest opponent.
        notes: sentences about all of it.
    """

    task: str
    conditions: tuple[Verdict, ...]
    criteria: tuple[Verdict, ...]
    score: float | None
    opponent: float | None
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(verdict.points for verdict in self.criteria)

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the conditions that do not hold."""
        return tuple(verdict.name for verdict in self.conditions if verdict.state == WRONG)

    @property
    def accepted(self) -> bool:
        return self.score is not None and not self.broken

    @property
    def passed(self) -> bool:
        return self.accepted and self.points >= PASS

    @property
    def rank(self) -> tuple[bool, float, float]:
        """What reports are sorted by, the best one largest: accepted, points, and among equals the score."""
        return self.accepted, self.points, -math.inf if self.score is None else -self.score


class Evidence:
    """A submission with everything that several criteria ask about it, computed once.

    Args:
        yours: what the notebook handed over.
        again: the same from a run with other seeds, if there was one.
        prose: what the notebook says under a heading with the word "report"; None if there is no notebook.
        program: the code and the printed output of its cells.
    """

    def __init__(
        self, yours: Submission, again: Submission | None = None, prose: str | None = None, program: str = ""
    ) -> None:
        self.yours, self.again, self.prose, self.program = yours, again, prose, program
        self.track = tracks.track_of(yours.task)
        self.task = tracks.load(yours.task)
        self.truth = tracks.parts_of(yours.task)[2].y

    def losses(self, what: str, submission: Submission | None = None) -> np.ndarray:
        """Of each row of the sealed part, (runs, rows)."""
        runs = (submission or self.yours).of(what)
        return np.array([self.track.losses(run.sealed, self.truth) for run in runs])

    @functools.cached_property
    def validation(self) -> dict[str, np.ndarray]:
        """Every measure on the validation part, one value for each seed."""
        truth = self.task.validation.y
        rows = [tracks.measure(self.yours.task, run.validation, truth) for run in self.yours.of(NETWORK)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    @functools.cached_property
    def reference(self) -> tuple[np.ndarray, np.ndarray]:
        """Losses of the rubric's own opponent, of each row of the validation part and of the sealed one."""
        return _reference(self.yours.task)

    @functools.cached_property
    def opponent(self) -> np.ndarray:
        """Losses of the stronger opponent, theirs or the rubric's, on the sealed part: (1, rows)."""
        losses = [self.reference[1], *self.losses(BASELINE)]
        return min(losses, key=np.mean)[None]

    def claim_is(self, measure: str) -> bool:
        """Whether the claim for the score is this measure of the predictions, the median over seeds, as rounded."""
        return _rounds_to(np.median(self.validation[measure]), self.yours.claims[self.track.unit])


@functools.cache
def _reference(name: str) -> tuple[np.ndarray, np.ndarray]:
    track, task = tracks.track_of(name), tracks.load(name)
    truths = task.validation.y, tracks.parts_of(name)[2].y
    inputs = np.concatenate([task.validation.x, task.inputs])
    both = tracks.checked(name, track.reference(task, inputs), len(inputs))
    validation, kept = np.split(both, [len(task.validation.x)])
    return track.losses(validation, truths[0]), track.losses(kept, truths[1])


def interval(a: np.ndarray, b: np.ndarray, block: int = 1) -> tuple[float, float]:
    """Between which limits the mean of ``a - b`` lies in 95 of 100 cases, had there been other seeds and other data.

    Taught in lesson 17. Seeds are drawn anew, and so are blocks of neighbouring rows, which hang together in a series:
    a bootstrap in both directions (Owen 2007, the pigeonhole bootstrap; blocks: Carlstein 1986). Pairs of a seed and a
    row stay pairs.

    Args:
        a: losses, shape (seeds, rows).
        b: of a rival on the same rows, shape (seeds, rows), in the same order of seeds, or (1, rows).
        block: rows drawn together.

    Raises:
        ValueError: shapes that do not fit each other, or fewer than two blocks.
    """
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    if a.shape[1] != b.shape[1] or len(b) not in (1, len(a)):
        raise ValueError(f"Losses of shapes {a.shape} and {b.shape}; expected the same rows, and as many seeds or one.")
    difference = a - b  # (seeds, rows)
    starts = np.arange(0, difference.shape[1], block)
    if len(starts) < 2:
        raise ValueError(f"{difference.shape[1]} rows make one block of {block}; expected at least two.")
    sums = np.add.reduceat(difference, starts, axis=1)  # (seeds, blocks)
    sizes = np.diff(np.append(starts, difference.shape[1]))
    rng = np.random.default_rng(17)
    of_seeds = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)  # how often each was drawn
    of_blocks = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES)
    means = np.einsum("rs,sb,rb->r", of_seeds, sums, of_blocks) / (len(sums) * (of_blocks @ sizes))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


# ---- conditions


def sealed_part(e: Evidence) -> Verdict:
    """Nobody looked at the sealed part before handing in."""
    say = _condition("sealed", "The sealed part was not looked at")
    expected = "It is opened once, by the rubric, after all choices have been made."
    found = [name for name in e.track.loaders if re.search(rf"\b{name}\b", e.program)]
    if e.yours.looks:
        best = sealed.inflation(e.yours.looks)
        return say(
            WRONG,
            f"Peeked: it was opened {e.yours.looks} times before this was handed in.",
            expected,
            f"The best of {e.yours.looks} looks is {best:.1f} standard deviations too good by chance alone. Choose on "
            "the validation part, and take a task whose seal is whole.",
        )
    if found:
        return say(
            WRONG,
            f"Peeked: the notebook uses {found[0]}, with which the answers of the sealed part can be read.",
            expected,
            "Learn from task.train, choose on task.validation, and load nothing else of this series.",
        )
    return say(RIGHT, "It was not opened before this was handed in.", expected)


def seeds(e: Evidence) -> Verdict:
    """Five seeds, none of them chosen, and the middle one claimed."""
    say = _condition("seeds", "Five seeds, none of them chosen")
    expected = "Five runs that differ, the seeds as they come, and the median of the five claimed."
    runs, unit = e.yours.of(NETWORK), e.track.unit
    if len({run.seed for run in runs}) < handover.SEEDS:
        return say(WRONG, f"{len({run.seed for run in runs})} seeds were run.", expected, "Hand in again.")
    if all(np.array_equal(run.validation, runs[0].validation) for run in runs):
        advice = "Pass `seed` to whatever draws: keras.utils.set_random_seed(seed), np.random.default_rng(seed)."
        return say(
            WRONG,
            "One seed: the five runs predict the same to the last digit.",
            expected,
            f"{advice} A method in which nothing is left to chance is an opponent; hand it in as the baseline.",
        )
    if e.again is not None:
        stored, fresh = (e.losses(NETWORK, s).mean(axis=1) for s in (e.yours, e.again))
        if stored.max() < fresh.min() and not np.array_equal(stored, fresh):
            return say(
                WRONG,
                f"Best of many: all five of your runs, {_range(stored)} {unit}, are better than all five with seeds "
                f"that the rubric drew, {_range(fresh)}. By chance that happens once in 252 times.",
                expected,
                "Take the seeds as they come. If you chose a seed, or built one into the solution, take it out.",
            )
    values, claimed = e.validation[unit], e.yours.claims.get(unit)
    spread = np.ptp(values)
    too_good = claimed is not None and claimed < np.median(values) and not e.claim_is(unit)
    if too_good and not _other_measure(e) and claimed > values.min() - 3 * spread:
        return say(
            WRONG,
            f"Best of many: {claimed:g} {unit} is claimed, and the five seeds have {_range(values)}, their median "
            f"{np.median(values):.3g}.",
            expected,
            f"Claim the median. The best of 20 seeds is {sealed.inflation(20):.1f} standard deviations better than "
            "their mean, and nobody who uses your network gets that one.",
        )
    return say(RIGHT, f"Five runs with {_range(values)} {unit} on the validation part.", expected)


def leaks(e: Evidence) -> Verdict:
    """The solution knows nothing that it could not know."""
    say = _condition("leaks", "Nothing leaks from the answers")
    expected = (
        "Trained on targets of other rows it knows nothing; its predictions move with the inputs; no input of the "
        "sealed part stands in the training part; and the score is possible."
    )
    score = e.losses(NETWORK).mean()
    naive = min(e.track.losses(said(e.task.train, e.task.inputs), e.truth).mean() for said in e.track.naive)
    scrambled = e.losses(SCRAMBLED).mean()
    first = next(run for run in e.yours.of(NETWORK) if run.moved is not None)
    follows, stays = (_apart(first.moved, other) for other in (np.roll(first.sealed, 1, axis=0), first.sealed))
    known = tracks.duplicates(e.task.name)
    advice = "Use `train`, `validation` and `inputs` as they are handed to the function, and nothing from around it."
    unit = e.track.unit
    if stays < follows or (stays == follows and stays > 0):
        return say(
            WRONG,
            "Leak: when the rows of the sealed part change places, the predictions stay where they were. They belong "
            "to places, not to inputs, so their answers come from elsewhere.",
            expected,
            advice,
        )
    if score < e.track.possible:
        return say(
            WRONG,
            f"Leak: {score:.3g} {unit} on the sealed part; below {e.track.possible:g} nobody can be who does not know "
            "the answers.",
            expected,
            "Look for the target among the inputs: a window that ends too late, a feature made from the whole series.",
        )
    if scrambled < 0.95 * naive:
        return say(
            WRONG,
            f"Leak: trained on targets that belong to other rows it still has {scrambled:.3g} {unit}; knowing nothing "
            f"costs {naive:.3g}.",
            expected,
            advice,
        )
    if known > 0.02:  # cannot be with the tasks as they are; holds for those that are added
        return say(WRONG, f"Leak: {known:.0%} of the sealed inputs stand in the training part.", expected, advice)
    return say(
        RIGHT,
        f"Trained on targets of other rows: {scrambled:.3g} {unit}; knowing nothing costs {naive:.3g}. Rows "
        "that changed places took their predictions with them.",
        expected,
    )


def opponent(e: Evidence) -> Verdict:
    """The baseline is as strong as a plain one, as far as the validation part can tell."""
    say = _condition("opponent", "The baseline was tuned, too")
    expected = "A baseline without a network that is at least as good, on the validation part, as the rubric's own."
    (run,) = e.yours.of(BASELINE)[:1]
    losses = e.track.losses(run.validation, e.task.validation.y), e.reference[0]
    theirs, ours = (float(each.mean()) for each in losses)
    unit = e.track.unit
    if interval(*losses, e.track.block)[0] > 0.02 * ours:  # worse by more than chance
        return say(
            WRONG,
            f"Crippled baseline: it has {theirs:.3g} {unit}, and a plain opponent has {ours:.3g}.",
            expected,
            f"Tune it as you tuned the network. The rubric's: {_STRONG[e.track.track]}.",
        )
    return say(RIGHT, f"It has {theirs:.3g} {unit}; the rubric's own has {ours:.3g}.", expected)


def claim(e: Evidence) -> Verdict:
    """What is claimed is what it is called."""
    say = _condition("measure", "The number claimed is the measure it is called")
    unit = e.track.unit
    median = float(np.median(e.validation[unit]))
    expected = f"The median of the five seeds in {unit} on the validation part, to the digits that you give."
    claimed = e.yours.claims.get(unit)
    if claimed is None:
        given = ", ".join(e.yours.claims) or "nothing"
        return say(
            WRONG,
            f"Swapped metric: {unit} is what counts here, and {given} is claimed.",
            expected,
            f'Claim it too: claims={{"{unit}": ...}}.',
        )
    other = _other_measure(e)
    if other:
        return say(
            WRONG,
            f"Swapped metric: {claimed:g} is called {unit}; it is the {other} of these predictions. Their {unit} is "
            f"{median:.3g}.",
            expected,
            f"Say {unit} {median:.3g}, or give the other number its own name.",
        )
    values = e.validation[unit]
    in_reach = values.min() - 3 * np.ptp(values) < claimed < median  # the condition on seeds says something about that
    if not e.claim_is(unit) and not in_reach:
        return say(
            WRONG,
            f"Another metric? {claimed:g} {unit} is claimed, the predictions have {median:.3g}.",
            expected,
            "Copy the number from try_out(task, solve).median(), after the last change.",
        )
    return say(RIGHT, f"{claimed:g} {unit} is claimed, the predictions have {median:.3g}.", expected)


# ---- criteria, with points


def better(e: Evidence) -> Verdict:
    """The opponent is beaten on the sealed part."""
    say = _criterion("better", "It beats the strongest opponent on the sealed part", 25)
    expected = f"A lower mean loss; 10 points for drawing level, all 25 for {e.track.good:.0%} less."
    score, rival = e.losses(NETWORK).mean(), e.opponent.mean()
    saved = 1 - score / rival
    given = f"{score:.3g} {e.track.unit}, a mean over five seeds; the opponent has {rival:.3g}: {_percent(saved)}."
    points = round(max(0.0, 10 + 15 * min(1.0, saved / e.track.good)), 1)
    if saved <= 0:
        advice = "Then say so: an honest defeat is a result. Or give the network what the opponent lacks."
        return say(WRONG, points, given, expected, advice)
    return say(RIGHT, points, given, expected)


def beyond_chance(e: Evidence) -> Verdict:
    """With other seeds and other data it would be better, too."""
    say = _criterion("interval", "The difference is more than chance", 15)
    expected = "A 95% interval of the difference, over seeds and rows, that lies wholly below zero."
    low, high = interval(e.losses(NETWORK), e.opponent, e.track.block)
    given = f"The difference to the opponent lies between {low:+.3g} and {high:+.3g} {e.track.unit}."
    if high >= 0:
        advice = "Do not say that it is better. More seeds help against the one chance, more data against the other."
        return say(WRONG, 0, given, expected, advice)
    return say(RIGHT, 15, given, expected)


def order(e: Evidence) -> Verdict:
    """Without order it is worse: then it does use the order."""
    say = _criterion("order", "It needs the order of its inputs", 10)
    expected = "Trained and tested on inputs whose steps are shuffled, it does worse, by an interval above zero."
    shuffled = e.losses(ORDER)
    low, high = interval(shuffled, e.losses(NETWORK)[: len(shuffled)], e.track.block)
    given = f"Shuffled, it loses between {low:+.3g} and {high:+.3g} {e.track.unit}."
    if low <= 0:
        return say(WRONG, 0, given, expected, "A network that does as well on a bag of steps has not read a sequence.")
    return say(RIGHT, 10, given, expected)


def parts(e: Evidence) -> Verdict:
    """Each part that is claimed is worth having."""
    say = _criterion("parts", "Each claimed part was left out once", 15)
    expected = "For each part, five trainings without it that do worse, by an interval above zero."
    if not e.yours.parts:
        advice = 'Name what your solution has that a plainer one has not: parts={"attention": solve_without}.'
        return say(OPEN, 0, "No part was left out.", expected, advice)
    sentences, useful = [], 0
    for name in e.yours.parts:
        low, high = interval(e.losses(WITHOUT + name), e.losses(NETWORK), e.track.block)
        useful += low > 0
        sentences.append(f"without {name} it loses between {low:+.3g} and {high:+.3g} {e.track.unit}")
    given = f"W{'; '.join(sentences)[1:]}."
    points = round(15 * useful / len(e.yours.parts), 1)
    if useful < len(e.yours.parts):
        return say(WRONG, points, given, expected, "Take out what does nothing, or claim less for it.")
    return say(RIGHT, points, given, expected)


def second_look(e: Evidence) -> Verdict:
    """Another measure is given beside the first, and generated text beside people's."""
    say = _criterion("second look", "A second measure stands beside the first", 10)
    others = e.task.measures[1:]
    expected = f"One of {', '.join(others)} among the claims, as its predictions have it"
    right = [
        name for name in others if name in e.yours.claims
        and _rounds_to(np.median(e.validation[name]), e.yours.claims[name])
    ]  # fmt: skip
    said = "; ".join(f"{name} {np.median(e.validation[name]):.3g}" for name in others)
    given = f"The predictions have {said}; claimed: {', '.join(right) or 'none of these, or not this number'}."
    advice = (
        ""
        if right
        else f'Add it to the claims: claims={{..., "{others[0]}": {np.median(e.validation[others[0]]):.3g}}}.'
    )
    if e.track.track != "generation":
        return say(RIGHT if right else OPEN, 10 * bool(right), given, f"{expected}.", advice)
    points, words, todo = _beside_people(e)
    advice = " ".join(filter(None, [advice, todo]))
    state = RIGHT if right and points == 5 else OPEN
    expected += ", and samples that repeat themselves about as much as people do and copy nothing."
    return say(state, 5 * bool(right) + points, f"{given} {words}", expected, advice)


def numbers(e: Evidence) -> Verdict | None:
    """Every number in the text was produced by a cell."""
    if e.prose is None:
        return None
    say = _criterion("numbers", "Every number in the text comes from a cell", 10)
    expected = "A section under a heading with the word Report, whose numbers stand in the code or in what cells print."
    text = re.sub(r"^#.*$|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|^\s*\d+\.\s", " ", e.prose, flags=re.MULTILINE)
    said = re.findall(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?", text)
    if len(text.split()) < 30 or not said:
        advice = "Say in five sentences what you built, what you measured, what it beats, what it cannot, and why."
        return say(OPEN, 0, f"The report has {len(text.split())} words and {len(said)} numbers.", expected, advice)
    known = [float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", e.program)]
    lost = [number for number in dict.fromkeys(said) if not _stands_in(number, known)]
    if lost:
        given = f"{len(lost)} of {len(set(said))} numbers stand in no cell: {', '.join(lost[:6])}."
        return say(WRONG, 0, given, expected, "Print them in a cell above, or take them out.")
    return say(RIGHT, 10, f"All {len(set(said))} numbers of the report stand in cells.", expected)


def budget(e: Evidence) -> Verdict:
    """Training stays inside the budget."""
    say = _criterion("budget", "Training stays inside the budget", 5)
    longest = max(run.seconds for run in e.yours.of(NETWORK))
    given = f"The longest training took {longest:.3g} seconds of processor time."
    expected = f"At most {e.track.seconds:g} seconds for each."
    if longest > e.track.seconds:
        return say(WRONG, 0, given, expected, "Train for fewer epochs, or a smaller network; then measure again.")
    return say(RIGHT, 5, given, expected)


def latency(e: Evidence) -> Verdict:
    """One answer comes in time."""
    say = _criterion("latency", "One answer comes in time", 10)
    expected = f"One answer of the exported step in at most {e.track.milliseconds:g} milliseconds of processor time."
    if e.yours.milliseconds is None:
        return say(OPEN, 0, "No step was handed in.", expected, "Give step=..., as lesson 14 exports one.")
    given = f"One answer takes {e.yours.milliseconds:.3g} milliseconds."
    if e.yours.milliseconds > e.track.milliseconds:
        return say(WRONG, 0, given, expected, "Export one step; `model.predict` costs far more than it computes.")
    return say(RIGHT, 10, given, expected)


CONDITIONS: tuple[Callable[[Evidence], Verdict], ...] = (sealed_part, seeds, leaks, opponent, claim)
CRITERIA: tuple[Callable[[Evidence], Verdict | None], ...] = (
    better,
    beyond_chance,
    order,
    parts,
    second_look,
    numbers,
    budget,
    latency,
)


def judge(record, again=None, *, prose: str | None = None, program: str = "") -> Report:
    """Judge what a notebook handed over.

    Taught in lesson 17.

    Args:
        record: of :func:`utils.capstone.handover.measure`, as it is or read from JSON.
        again: the same from a run with other seeds.
        prose: what the notebook says under its heading "Report"; without, numbers in the text are not judged.
        program: the code and the printed output of its cells.

    Raises:
        CannotBeHandedIn: a record that cannot be read, or that lacks a run.
    """
    yours = handover.read(record)
    _complete(yours)
    other = None
    if again is not None:
        other = handover.read(again)
        _complete(other)
        if other.task != yours.task:
            raise handover.CannotBeHandedIn(
                f"run again, the notebook handed in {other.task!r} instead of {yours.task!r}."
            )
    evidence = Evidence(yours, other, prose, program)
    conditions = tuple(condition(evidence) for condition in CONDITIONS)
    criteria = tuple(verdict for criterion in CRITERIA if (verdict := criterion(evidence)) is not None)
    score, rival = float(evidence.losses(NETWORK).mean()), float(evidence.opponent.mean())
    return Report(yours.task, conditions, criteria, score, rival)


def nothing_yet(what: str) -> Report:
    """The report on a notebook that has handed in nothing; says what comes next."""
    return Report("", (), (), None, None, (what,))


def _complete(submission: Submission) -> None:
    """Whether all the runs are there that the criteria ask for."""
    needed = {NETWORK: handover.SEEDS, BASELINE: 1, ORDER: handover.ORDER_SEEDS, SCRAMBLED: 1}
    needed |= {WITHOUT + name: handover.SEEDS for name in submission.parts}
    for what, count in needed.items():
        there = len(submission.of(what))
        if there < count:
            raise handover.CannotBeHandedIn(
                f"{there} runs of {what!r} were handed over, expected {count}; hand in again."
            )
    if all(run.moved is None for run in submission.of(NETWORK)):
        raise handover.CannotBeHandedIn("no run was asked again with its rows moved; hand in again.")


def _condition(name: str, title: str) -> Callable[..., Verdict]:
    """What a condition says; it carries no points."""

    def say(state: str, given: str, expected: str, advice: str = "") -> Verdict:
        return Verdict(name, title, state, 0, 0, given, expected, advice)

    return say


def _criterion(name: str, title: str, of: int) -> Callable[..., Verdict]:
    """What a criterion says, which carries so many points at most."""

    def say(state: str, points: float, given: str, expected: str, advice: str = "") -> Verdict:
        return Verdict(name, title, state, points, of, given, expected, advice)

    return say


_STRONG = {
    "forecasting": "the best of no change, one season ago, and linear regression on the whole window",
    "generation": "an interpolated n-gram, its length chosen on the validation part",
    "translation": "linear classifiers or a table on stretches of letters (utils/capstone/tracks.py)",
}


def _other_measure(e: Evidence) -> str | None:
    """By what other measure of the same predictions the claimed score is explained, if by any."""
    claimed = e.yours.claims.get(e.track.unit)
    if claimed is None or e.claim_is(e.track.unit):
        return None
    runs, truth = e.yours.of(NETWORK), e.task.validation.y
    candidates = {name: np.median(values) for name, values in e.validation.items() if name != e.track.unit}
    if e.track.track == "forecasting":
        errors = np.array([run.validation - truth for run in runs])  # (seeds, rows)
        spread = e.task.train.y.std()
        candidates |= {
            "mean absolute error in °C": np.median(np.abs(errors).mean(axis=1)),
            "mean squared error": np.median((errors**2).mean(axis=1)),
            "RMSE in standard deviations": np.median(np.sqrt((errors**2).mean(axis=1)) / spread),
            "mean squared error in squared standard deviations": np.median((errors**2).mean(axis=1) / spread**2),
        }
    else:
        wrong = np.median(e.validation["wrong"])
        candidates |= {"share right": 1 - wrong, "percentage wrong": 100 * wrong, "percentage right": 100 - 100 * wrong}
    if e.track.track == "generation":
        bits = np.median(e.validation["bits"])
        candidates |= {"nats, not bits,": bits * math.log(2), "perplexity": 2**bits}
    for name, value in list(candidates.items()):
        if name == "BLEU":
            candidates |= {"BLEU as a share": value / 100, "what is missing to BLEU 100, as a share,": 1 - value / 100}
    return next((name for name, value in candidates.items() if _rounds_to(value, claimed)), None)


def _beside_people(e: Evidence) -> tuple[int, str, str]:
    """``(points of 5, what was found, what to do)`` about generated texts beside people's of the same length."""
    texts = [text for text in e.yours.samples if len(text) >= LEAST_LENGTH]
    if len(texts) < LEAST_SAMPLES:
        return (
            0,
            f"{len(texts)} long samples.",
            f"Give samples=[...]: {LEAST_SAMPLES} texts of {LEAST_LENGTH} characters.",
        )
    _, validation, _, vocabulary = tracks.parts_of(e.yours.task)
    people = [
        "".join(vocabulary.decode(row) for row in validation.x[i : i + 4]) for i in range(0, len(validation.x), 4)
    ]
    theirs = np.mean([repetition(text[:LEAST_LENGTH], STRETCH) for text in texts])
    human = np.mean([repetition(text[:LEAST_LENGTH], STRETCH) for text in people if len(text) >= LEAST_LENGTH])
    book = vocabulary.decode(e.task.train.x.ravel())
    copied = sum(any(text[i : i + COPY] in book for i in range(0, len(text) - COPY + 1, 10)) for text in texts)
    found = f"Of stretches of {STRETCH} letters {theirs:.1%} are repeats, of people's {human:.1%}; {copied} of "
    found += f"{len(texts)} samples hold {COPY} letters of the training text in a row."
    if theirs > human + 0.05:
        return 0, found, "They go round in circles: draw, instead of taking the likeliest (lesson 13)."
    if copied:
        return 0, found, "They are copies: near-duplicates of the training text show nothing that was learned."
    return 5, found, ""


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """How different predictions are: mean absolute difference, or the share of texts that differ."""
    return float(np.mean(a != b) if a.dtype == object else np.abs(a - b).mean())


def _rounds_to(value: float, claimed: float) -> bool:
    """Whether a claim is a value, rounded to the digits that the claim has (one unit of the last is forgiven)."""
    digits = repr(float(claimed)).partition("e")[0].partition(".")[2].rstrip("0")
    return abs(value - claimed) <= 1.001 * 10.0 ** -max(1, len(digits)) if digits else abs(value - claimed) <= 0.501


def _stands_in(number: str, known: Sequence[float]) -> bool:
    """Whether a number of the text is one of those in cells, rounded as it is, or as a percentage of it."""
    value = float(number.replace(",", ""))
    half = 0.5001 * 10.0 ** -len(number.partition(".")[2])
    return any(abs(value - factor * other) <= half for other in known for factor in (1, 100))


def _range(values: np.ndarray) -> str:
    return f"{values.min():.3g} to {values.max():.3g}"


def _percent(saved: float) -> str:
    return f"{abs(saved):.1%} {'less' if saved > 0 else 'more'}"
