"""The capstone's tasks and its rubric: honest work is accepted, five frauds are named, nothing read is believed."""

import ast
import base64
import json
import math
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests import submissions
from tests.submissions import echo, no_change, record
from tools import notebooks
from utils import capstone
from utils.capstone import handover, report, rubric, sealed, spelling, tracks

REPORT = """
The network reads 24 months off Peru and says how warm the sea will be in three months. Trained five times it needs
0.203 MASE on the validation part; linear regression needs 0.217. I do not claim that this is more than chance, since
the interval holds zero, and the part called memory does nothing that could be measured here.
"""


@pytest.fixture(autouse=True)
def own_ledger(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "LEDGER", tmp_path / "openings.json")
    monkeypatch.setattr(sealed, "_here", set())
    monkeypatch.delenv(sealed.JUDGED, raising=False)
    monkeypatch.setenv("STUDY_WORKERS", "1")  # even where another test has started TensorFlow


@pytest.fixture(scope="module")
def honest():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_WORKERS", "1")
        return json.loads(json.dumps(record()))


def found(result: rubric.Report, name: str) -> rubric.Verdict:
    return next(verdict for verdict in (*result.conditions, *result.criteria) if verdict.name == name)


# ---- tasks


@pytest.mark.parametrize("name", tracks.TRACKS)
def test_a_task_has_rows_of_one_form_and_no_answers_of_the_sealed_part(name):
    task = capstone.load(name)
    _, _, kept, _ = tracks.parts_of(name)
    assert task.train.x.shape[1:] == task.validation.x.shape[1:] == task.inputs.shape[1:]
    assert not any(np.shares_memory(kept.y, part) for part in (task.train.y, task.validation.y))
    assert len(task.inputs) == len(kept.y) >= 150
    assert tracks.duplicates(name) == 0
    assert len(task.measures) >= 2
    assert all(value is not kept for value in vars(task).values())


def test_days_and_words_of_the_sealed_part_are_met_nowhere_else():
    train, validation, kept, _ = tracks.parts_of("dates")
    assert not set(kept.y) & (set(train.y) | set(validation.y))
    train, validation, kept, _ = tracks.parts_of("sounds")
    assert not set(kept.x) & (set(train.x) | set(validation.x))


def test_targets_of_a_series_lie_in_their_own_part_and_so_many_steps_ahead():
    series = tracks.climate.load_hourly_temperature().to_numpy().astype(np.float32)
    train, validation, kept, _ = tracks.parts_of("temperature")
    windows = np.lib.stride_tricks.sliding_window_view(series, 48)
    at = [int(np.flatnonzero((windows == row[:, 0]).all(axis=1))[0]) for row in (train.x[-1], validation.x[0])]
    assert [series[i + 47 + 6] for i in at] == [train.y[-1], validation.y[0]]
    assert at[0] + 53 < round(0.7 * len(series)) <= at[1] + 53
    starts = [int(np.flatnonzero((windows == row[:, 0]).all(axis=1))[0]) for row in (kept.x[0], kept.x[-1])]
    assert round(0.8 * len(series)) <= starts[0] + 53 < starts[1] + 53 < len(series)


def test_letters_show_no_answer_of_another_place():
    _, _, kept, vocabulary = tracks.parts_of("letters")
    text = tracks.corpora.build_vocabulary(tracks.corpora.load_bible("kjv").lower(), tracks.SYMBOLS)[1]
    places = [round(0.9 * len(text))]
    for row, y in zip(kept.x, kept.y, strict=True):
        places.append(text.index(vocabulary.decode(row) + vocabulary.decode([y]), places[-1]))
    assert np.diff(places[1:]).min() > tracks.LETTERS
    rows = tracks.parts_of("letters")[0]
    for i in (0, 18, 19, 20, len(rows.x) - 1):  # 19: the last row of a piece
        assert vocabulary.decode(rows.x[i]) + vocabulary.decode([rows.y[i]]) in text


def test_measures_against_calculations_by_hand():
    truth = tracks.parts_of("sea")[2].y
    values = tracks.measure("sea", truth + 2, truth)
    train = tracks.parts_of("sea")[0]
    by_hand = sum(abs(float(y) - float(row[-1, 0])) for row, y in zip(*train, strict=True)) / len(train.y)
    assert values["MASE"] == pytest.approx(2 / by_hand, rel=1e-5)
    assert values["RMSE"] == pytest.approx(2, rel=1e-5)
    truth = tracks.parts_of("letters")[2].y
    even = np.full((len(truth), 32), 1 / 32)
    assert tracks.measure("letters", even, truth)["bits"] == pytest.approx(5)
    truth = tracks.parts_of("dates")[2].y
    wrong = truth.copy()
    wrong[:150] = "2001-01-01x"
    assert tracks.measure("dates", wrong, truth)["wrong"] == 150 / 600
    assert tracks.measure("dates", truth, truth) == {"wrong": 0, "BLEU": pytest.approx(100), "edits": 0}


def test_the_ngram_gives_every_row_its_probabilities():
    task = capstone.load("letters")
    rows = tracks._table_rows(task.train.x.ravel(), task.inputs[:7], 3)
    assert rows.shape == (4, 7, 32)
    assert rows.sum(axis=2) == pytest.approx(1)
    text = task.train.x.ravel()
    seen = np.bincount(text[1:][text[:-1] == task.inputs[0, -1]], minlength=32)  # Witten-Bell, two letters, by hand
    c, d = seen.sum(), np.count_nonzero(seen)
    assert rows[1, 0] == pytest.approx((seen + d * rows[0, 0]) / (c + d))


def test_letters_are_aligned_with_their_sounds():
    words, sounds = ["fox", "phone", "ox", "box", "of"], ["F AA K S", "F OW N", "AA K S", "B AA K S", "AH V"]
    sounds = [said.split() for said in sounds]
    for word, said, path in zip(words, sounds, spelling.align(words, sounds), strict=True):
        assert len(path) == len(word)
        assert [sound for letter in path for sound in letter] == said
    known = spelling.table(words, sounds)
    assert [spelling.read(word, known) for word in words] == sounds
    assert spelling.read("zzz", known) == []


@pytest.mark.parametrize("name", ["sea", "letters", "dates"])
def test_another_order_has_the_same_steps(name):
    x = capstone.load(name).inputs[:50]
    shuffled = tracks.in_another_order(x, np.random.default_rng(0))
    assert shuffled.dtype == x.dtype
    for row, other in zip(x, shuffled, strict=True):
        assert sorted(map(str, other)) == sorted(map(str, row))
    assert np.mean([str(a) != str(b) for a, b in zip(x, shuffled, strict=True)]) > 0.9


def test_an_unknown_task_is_refused_by_name():
    with pytest.raises(ValueError, match="choose one of temperature, sea"):
        capstone.load("weather")


# ---- statistics


@pytest.mark.parametrize(("tries", "expected"), [(1, 0), (2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi))])
def test_inflation_where_it_is_known_in_closed_form(tries, expected):
    assert sealed.inflation(tries) == pytest.approx(expected, abs=1e-6)


def test_inflation_against_drawing():
    drawn = np.random.default_rng(0).standard_normal((40_000, 50))
    assert sealed.inflation(50) == pytest.approx(drawn.max(axis=1).mean(), abs=0.01)
    assert sealed.inflation(20) == pytest.approx(drawn[:, :20].max(axis=1).mean(), abs=0.01)


def test_the_interval_of_one_seed_is_that_of_scipy():
    a, b = np.random.default_rng(0).gamma(2, size=(2, 400))
    theirs = stats.bootstrap((a - b,), np.mean, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    assert rubric.interval(a, b) == pytest.approx(theirs, abs=0.02)


def test_the_interval_grows_with_seeds_that_differ_and_with_rows_that_hang_together():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=400)
    alike = np.tile(rows, (5, 1))
    unlike = alike + rng.normal(size=(5, 1))
    width = lambda *arguments: float(np.ptp(rubric.interval(*arguments)))  # noqa: E731
    assert width(unlike, np.zeros((1, 400))) > 2 * width(alike, np.zeros((1, 400)))
    days = np.repeat(rng.normal(size=20), 20)[None]
    assert width(days, np.zeros((1, 400)), 20) > 2 * width(days, np.zeros((1, 400)))
    with pytest.raises(ValueError, match="one block"):
        rubric.interval(rows, rows, 400)
    with pytest.raises(ValueError, match="same rows"):
        rubric.interval(rows, rows[1:])


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        difference = rng.normal(size=(8, 1)) * 0.1 + rng.normal(size=(1, 100)) + rng.normal(size=(8, 100))
        low, high = rubric.interval(difference, np.zeros((1, 100)))
        held.append(low <= 0 <= high)
    assert 0.88 <= np.mean(held) <= 0.99


# ---- honest work, and the five frauds


def test_honest_work_is_accepted(honest):
    result = rubric.judge(honest, prose=REPORT, program="24 0.2034 0.2175")
    assert result.accepted, report.text(result)
    assert not result.broken
    assert result.score < result.opponent
    assert sum(verdict.of for verdict in result.criteria) == 100
    assert found(result, "order").points == 10
    assert found(result, "numbers").points == 10
    assert (
        found(result, "interval").state == rubric.WRONG
    )  # 4% less, on 183 months: not more than chance, and it says so
    assert found(result, "parts").state == rubric.WRONG


def test_fraud_of_the_peeked_test():
    task = capstone.load("sea")
    scores = {}
    for leak in np.linspace(0.1, 0.9, 9):
        predictions = echo(task.train, task.validation, task.inputs, 0, leak=leak)
        scores[leak] = capstone.open_sealed(task, predictions)["MASE"]
    best = min(scores, key=scores.get)
    result = rubric.judge(record(lambda *given: echo(*given, leak=best)))
    assert result.broken == ("sealed",)
    assert "Peeked: it was opened 9 times" in found(result, "sealed").given
    assert "1.5 standard deviations" in found(result, "sealed").advice


def test_fraud_of_the_source_that_is_read(honest):
    result = rubric.judge(honest, program="series = load_el_nino()")
    assert result.broken == ("sealed",)
    assert "Peeked" in found(result, "sealed").given


def test_fraud_of_the_best_of_twenty_seeds(honest):
    best = capstone.try_out(capstone.load("sea"), echo, seeds=20)["MASE"].min()
    result = rubric.judge(honest | {"claims": {"MASE": round(best, 4), "RMSE": honest["claims"]["RMSE"]}})
    assert result.broken == ("seeds",)
    assert "Best of many" in found(result, "seeds").given


def test_fraud_of_a_seed_that_is_built_in():
    result = rubric.judge(record(lambda train, validation, inputs, seed: echo(train, validation, inputs, 13)))
    assert result.broken == ("seeds",)
    assert "One seed" in found(result, "seeds").given


def test_fraud_of_seeds_that_were_chosen(honest, monkeypatch):
    """Whoever keeps a list of good seeds for 0 to 4 has none for those that the rubric draws."""
    task = capstone.load("sea")
    kept = tracks.parts_of("sea")[2].y
    scores = [tracks.measure("sea", echo(*task_parts(task), seed), kept)["MASE"] for seed in range(40)]
    good = np.argsort(scores)[:5]

    def chosen(train, validation, inputs, seed):
        return echo(train, validation, inputs, int(good[seed]) if seed < 5 else seed)

    yours = record(chosen)
    monkeypatch.setenv("SEED_OFFSET", "5000")
    again = record(chosen, claims=yours["claims"])
    result = rubric.judge(yours, again)
    assert result.broken == ("seeds",)
    assert "once in 252" in found(result, "seeds").given
    assert rubric.judge(honest, record(claims=honest["claims"])).broken == ()


def task_parts(task):
    return task.train, task.validation, task.inputs


@pytest.mark.parametrize(
    ("solve", "words"),
    [(submissions.looks_up, "belong to other rows"), (submissions.by_place, "stay where they were")],
)
def test_fraud_of_the_leaked_target(solve, words):
    result = rubric.judge(record(solve))
    assert result.broken == ("leaks",)
    assert "Leak" in found(result, "leaks").given
    assert words in found(result, "leaks").given


def test_fraud_of_the_leak_that_is_too_good_to_be_true():
    def knows(train, validation, inputs, seed):
        noise = np.random.default_rng(seed).normal(0, 0.01, len(inputs))
        return submissions.looks_up(train, validation, inputs, seed) * 0 + answers(inputs) + noise

    def answers(inputs):
        series = submissions.load_el_nino().to_numpy().astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(series[:-3], 24)
        return series[[int(np.abs(windows - row[:, 0]).sum(axis=1).argmin()) + 26 for row in inputs]]

    result = rubric.judge(record(knows))
    assert "nobody can be" in found(result, "leaks").given


def test_fraud_of_the_crippled_baseline(honest):
    result = rubric.judge(record(baseline=no_change, claims=honest["claims"]))
    assert result.broken == ("opponent",)
    assert report.headline(result).startswith("Not accepted: crippled baseline.")
    assert "Crippled baseline" in found(result, "opponent").given
    assert result.opponent == rubric.judge(honest).opponent  # the rubric measures against its own


def test_a_baseline_that_is_worse_by_chance_alone_is_not_called_crippled(honest):
    def nearly(train, validation, inputs, seed):
        return submissions.linear(train, validation, inputs, seed) + np.random.default_rng(1).normal(
            0, 0.1, len(inputs)
        )

    result = rubric.judge(record(baseline=nearly, claims=honest["claims"]))
    assert result.broken == ()


@pytest.mark.parametrize("other", ["RMSE in standard deviations", "mean squared error in squared"])
def test_fraud_of_the_swapped_metric(honest, other):
    task = capstone.load("sea")
    runs = handover.read(honest).of(handover.NETWORK)
    errors = np.array([run.validation - task.validation.y for run in runs]) / task.train.y.std()
    values = (errors**2).mean(axis=1) if "squared error" in other else np.sqrt((errors**2).mean(axis=1))
    result = rubric.judge(honest | {"claims": {"MASE": round(float(np.median(values)), 3)}})
    assert result.broken == ("measure",)
    assert "Swapped metric" in found(result, "measure").given
    assert other in found(result, "measure").given


def test_a_number_from_nowhere_and_no_number_at_all(honest):
    result = rubric.judge(honest | {"claims": {"MASE": 0.02}})
    assert result.broken == ("measure",)
    result = rubric.judge(honest | {"claims": {"RMSE": 0.694}})
    assert "RMSE is claimed" in found(result, "measure").given


def test_a_network_that_reads_no_sequence_and_one_that_is_beaten_are_told_so():
    def last_value(train, validation, inputs, seed):
        bag = lambda x: np.column_stack([x[..., 0].mean(axis=1), x[..., 0].max(axis=1)])  # noqa: E731
        weights = np.random.default_rng(seed).uniform(0.9, 1.1, len(train.y))
        model = submissions.LinearRegression().fit(bag(train.x), train.y, weights)
        return model.predict(bag(inputs))

    result = rubric.judge(record(last_value, parts={}))
    assert result.accepted
    assert not result.passed
    assert found(result, "order").state == rubric.WRONG
    assert "bag of steps" in found(result, "order").advice
    assert "honest defeat" in found(result, "better").advice
    assert found(result, "parts").state == rubric.OPEN


def test_six_solutions_are_ranked_as_on_days_that_nobody_has_seen():
    task = capstone.load("dates")
    fresh = submissions.fresh_dates(2000)
    ranks, truths = [], []
    for settings in submissions.READERS:
        solve = submissions.reader(**settings)
        given = {"baseline": submissions.strong_reader, "parts": {}, "claims": {}}
        ranks.append(rubric.judge(submissions.rightly_claimed(handover.measure(task, solve, **given))).rank)
        said = [solve(task.train, task.validation, fresh.x, seed) for seed in (50, 51)]
        truths.append(np.mean([tracks.measure("dates", dates, fresh.y)["wrong"] for dates in said]))
    assert np.argsort(truths).tolist() == sorted(range(6), key=lambda i: ranks[i], reverse=True)


# ---- what is claimed and written


@pytest.mark.parametrize(
    ("value", "claimed", "fits"),
    [
        (0.6549, 0.65, True),
        (0.6549, 0.66, True),
        (0.6549, 0.67, False),
        (0.6549, 0.6, True),
        (87.3, 87, True),
        (87.3, 85, False),
    ],
)
def test_a_claim_has_the_digits_that_it_has(value, claimed, fits):
    assert rubric._rounds_to(value, claimed) == fits


@pytest.mark.parametrize(
    ("prose", "state", "words"),
    [
        (REPORT, rubric.RIGHT, "stand in cells"),
        (REPORT.replace("0.217", "0.317"), rubric.WRONG, "0.317"),
        (REPORT.replace("0.217", "21.7%"), rubric.RIGHT, "stand in cells"),
        ("It is very good.", rubric.OPEN, "4 words"),
        ("", rubric.OPEN, "0 words"),
    ],
)
def test_every_number_of_the_report_stands_in_a_cell(honest, prose, state, words):
    verdict = found(rubric.judge(honest, prose=prose, program="WINDOW = 24\nmedian 0.2034\nruler 0.2175"), "numbers")
    assert verdict.state == state
    assert words in verdict.given


def test_samples_are_held_beside_people():
    task = capstone.load("letters")
    text = task.vocabulary.decode(task.train.x.ravel())
    evidence = rubric.Evidence(handover.Submission("letters", (), {}, (), (), None, (), 0))

    def judged(samples):
        evidence.yours = evidence.yours._replace(samples=tuple(samples))
        return rubric._beside_people(evidence)

    people = [task.vocabulary.decode(row) for row in task.validation.x]
    mixed = ["".join(people[i : i + 9 : 2]) for i in range(0, 90, 10)]
    assert judged(mixed)[0] == 5
    assert "circles" in judged(["and the son of the house of the " * 8] * 5)[2]
    assert "copies" in judged([text[i * 1000 : i * 1000 + 250] for i in range(5)])[2]
    assert "Give samples" in judged(mixed[:2])[2]


# ---- what is read is not believed


def broken(record, *path, value):
    copy = json.loads(json.dumps(record))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def numbers_of(array):
    return {"type": "<f4", "data": base64.b64encode(zlib.compress(np.asarray(array, "<f4").tobytes())).decode()}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), 99, "version 99"),
        (("task",), "weather", "no task"),
        (("runs",), [], "0 runs of 'network'"),
        (("runs",), "many", "cannot be read"),
        (("runs", 0, "sealed"), numbers_of(np.zeros(7)), "183 rows"),
        (("runs", 0, "sealed"), numbers_of(np.zeros(10_000_000)), "183 rows"),
        (("runs", 0, "sealed"), numbers_of(np.full(183, np.nan)), "NaN"),
        (("runs", 0, "sealed"), {"type": "O", "data": ""}, "cannot be read"),
        (("runs", 0, "sealed"), {"type": "<f4", "data": "no base 64!"}, "cannot be read"),
        (("runs", 0, "sealed"), {"type": "<f4", "data": base64.b64encode(b"no zlib").decode()}, "damaged"),
        (("runs", 0, "seconds"), float("inf"), "finite"),
        (("runs", 0, "moved"), None, "rows moved"),
        (("claims",), {"MASE": "0.1"}, "finite"),
        (("parts",), ["attention"], "without attention"),
        (("looks",), "none", "cannot be read"),
    ],
)
def test_a_record_of_another_form_is_refused_in_words(honest, path, value, words):
    with pytest.raises(handover.CannotBeHandedIn, match=re.escape(words)):
        rubric.judge(broken(honest, *path, value=value))


@pytest.mark.parametrize("value", [None, 7, [], "text", {}])
def test_what_is_no_record_at_all_is_refused(value):
    with pytest.raises(handover.CannotBeHandedIn):
        rubric.judge(value)


def test_nothing_is_unpickled():
    files = [*Path(rubric.__file__).parent.glob("*.py"), notebooks.REPOSITORY / "tools" / "capstone.py"]
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not (called | imported) & {"pickle", "cloudpickle", "joblib", "marshal", "eval", "exec", "dill"}, (
            file.name
        )


# ---- handing in


def test_stubs_are_greeted(capsys):
    task = capstone.load("sea")
    stub = lambda train, validation, inputs, seed: ...  # noqa: E731
    assert capstone.try_out(task, stub) is None
    for changes in ({"solve": stub}, {"baseline": ...}, {"claims": {"MASE": ...}}, {"parts": {"memory": stub}}):
        given = {"solve": echo, "baseline": submissions.linear, "parts": {}, "claims": {"MASE": 0.2}} | changes
        capstone.hand_in(task, given.pop("solve"), **given)
    said = capsys.readouterr().out
    assert said.count("○ not handed in yet") == 4
    assert said.count("○ not attempted yet") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"solve": lambda *given: 1 / 0}, "ZeroDivisionError with seed 0"),
        ({"solve": lambda *given: np.zeros(3)}, "one row for each input, got (3,)"),
        ({"solve": lambda train, validation, inputs, seed: np.full(len(inputs), np.nan)}, "NaN"),
        ({"solve": "echo"}, "should be a function"),
        ({"claims": {"BLEU": 99}}, "the measures of 'sea': MASE, RMSE"),
        ({"claims": {"MASE": "low"}}, "expected a number"),
        ({"parts": [echo]}, "a dictionary"),
        ({"step": lambda x: 1 / 0}, "`step` raised ZeroDivisionError"),
    ],
)
def test_what_cannot_be_handed_in_is_said_in_words(capsys, changes, words):
    given = {"solve": echo, "baseline": submissions.linear, "parts": {}, "claims": {"MASE": 0.2}} | changes
    capstone.hand_in(capstone.load("sea"), given.pop("solve"), **given)
    said = capsys.readouterr().out
    assert "✘ not handed in" in said
    assert words in said


def test_probabilities_have_to_add_up():
    with pytest.raises(ValueError, match="take the softmax"):
        tracks.checked("letters", np.ones((3, 32)), 3)
    with pytest.raises(ValueError, match="expected 3 texts"):
        tracks.checked("dates", ["2001-01-01"], 3)


def test_a_solution_cannot_change_the_data_of_the_next():
    def greedy(train, validation, inputs, seed):
        result = echo(train, validation, inputs, seed)
        train.y[:] = 0
        validation.x[:] = 0
        return result

    task = capstone.load("sea")
    before = task.train.y.copy()
    table = capstone.try_out(task, greedy)
    assert np.array_equal(task.train.y, before)
    assert table.drop(columns="seconds").equals(capstone.try_out(task, echo).drop(columns="seconds"))


def test_looks_are_counted_and_kept(capsys, monkeypatch):
    task = capstone.load("sea")
    first = np.zeros(len(task.inputs))
    capstone.open_sealed(task, first)
    capstone.open_sealed(task, first)
    capstone.open_sealed(task, first + 20)
    assert sealed.looks("sea") == 2
    assert "opened 2 times" in capsys.readouterr().out
    monkeypatch.setattr(sealed, "_here", set())  # another process
    assert sealed.looks("sea") == 2
    assert sealed.looks("dates") == sealed.looks("sea", "rubric") == 0
    monkeypatch.setenv(sealed.JUDGED, "1")  # which replays a notebook that was counted before
    assert sealed.looks("sea") == 0
    sealed.LEDGER.write_text("no JSON")
    monkeypatch.delenv(sealed.JUDGED)
    assert sealed.looks("sea") == 0


# ---- the report


class Page(HTMLParser):
    """Which elements a page opens, and whether it closes them in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.names, self.attributes, self.text = [], [], [], ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_escapes_what_learners_write(honest):
    result = rubric.judge(honest)
    nasty = result._replace(notes=("<script>alert(1)</script>",))
    page = report.page(nasty, "<b>mine</b>.ipynb")
    read = Page(page)
    assert not {"script", "link", "img", "iframe", "b"} & set(read.names)
    assert not re.search(r"https?://|url\(", page)
    assert ("lang", "en") in read.attributes
    assert "prefers-color-scheme: dark" in page
    assert read.names.count("h1") == 1
    assert read.names.count("li") == len(result.conditions) + len(result.criteria)
    for verdict in (*result.conditions, *result.criteria):
        assert verdict.given in read.text
        assert f"({report.SPOKEN[verdict.state]})" in read.text  # not by colour or mark alone


def contrast(a: str, b: str) -> float:
    """Of two colours, as WCAG 2.2 defines it."""

    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_page_can_be_read_light_and_dark():
    style = report._STYLE
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    for scheme in (light, dark.split("* {")[0]):
        colors = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for ink in ("ink", "quiet", "right", "wrong", "open"):
            for paper in ("paper", "soft"):
                assert contrast(colors[ink], colors[paper]) >= 4.5, (ink, paper)


def test_the_text_fits_a_terminal(honest):
    said = report.text(rubric.judge(honest), "mine.ipynb")
    assert max(map(len, said.splitlines())) <= 106
    assert "points" in said
    assert "Traceback" not in said
