"""The replication record, ``findings/NN.csv``: which claims held when a lesson ran with other seeds.

A row per offset and claim: ``offset`` (what was added to every seed), ``claim``, ``held`` ("yes" or "no"),
``measured`` (the values, four significant digits, separated by semicolons; of an estimate its value and the ends of its
interval; empty if the lesson stopped before), ``rule`` (the limit), ``code_sha256`` (of the lesson's code). When the
code changes, its rows go. One row with an empty claim is left for each of their offsets: whoever chose the new code may
have looked at what came out there, so that offset proves nothing any more and is not drawn again.
"""

import csv
import io
import math
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tools import notebooks
from utils.files import write_whole
from utils.findings import summarise

FOLDER = notebooks.REPOSITORY / "findings"
COLUMNS = ("offset", "claim", "held", "measured", "rule", "code_sha256")
FEWEST = 5  # offsets that a claim has to hold at, for the code as it stands
APART = 1000  # between two offsets, so that no seed is shared
NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?|-?inf)"


@dataclass
class Standing:
    """How a claim fared in the replications of the code as it stands."""

    held: int = 0
    of: int = 0
    margin: float | None = None  # of the nearest value; see :func:`margin`
    steps: int | None = None  # the same in whole things, where limit and values are counts

    def __str__(self) -> str:
        return f"{self.held} of {self.of}" if self.of else "not yet"

    @property
    def weakness(self) -> tuple[bool, float]:
        """Sorts claims, the weakest first: what was refuted, then by margin; what leaves no room last."""
        return self.held == self.of, math.inf if self.margin is None else self.margin

    @property
    def shown(self) -> str:
        """The margin as the pages show it: "12%" of the limit, "2 steps", or "exact" where there is no room."""
        if not self.of:
            return ""
        if self.margin is None:
            return "exact"
        if self.steps is not None:
            return f"{self.steps} step{'s' * (abs(self.steps) != 1)}"
        return f"{self.margin:.0%}" if math.isfinite(self.margin) else "not measured"


def read(number: str) -> list[dict[str, str]]:
    """The rows of a lesson's record; none if there is no record yet."""
    path = FOLDER / f"{number}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if any(tuple(row) != COLUMNS for row in rows):
        raise ValueError(f"{path.name} has the columns {', '.join(rows[0])}; expected {', '.join(COLUMNS)}.")
    return rows


def add(number: str, code: str, offset: int, records: dict[str, dict], claims: Iterable[str]) -> None:
    """Write what one run measured into a lesson's record; what was measured with other code is dropped.

    Args:
        number: of the lesson, "02".
        code: the hash of the code that ran.
        offset: what was added to every seed.
        records: of the findings of this run, by claim.
        claims: that the stored lesson states; what was not measured has not held.
    """
    rows = []
    for row in read(number):
        if row["code_sha256"] != code:
            row = {**dict.fromkeys(COLUMNS, ""), "offset": row["offset"], "code_sha256": row["code_sha256"]}
        elif row["claim"] and int(row["offset"]) == offset:
            continue  # measured again
        if row not in rows:
            rows.append(row)
    for claim in claims:
        found = records.get(claim, {})
        values = ";".join(f"{value:.4g}" for value in [*found.get("measured", []), *found.get("interval", [])])
        held = "yes" if found.get("holds") else "no"
        rows.append(dict(zip(COLUMNS, (str(offset), claim, held, values, found.get("rule", ""), code), strict=True)))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(FOLDER / f"{number}.csv", text.getvalue())


def offsets(number: str, code: str) -> list[int]:
    """The offsets at which this code ran, in the order of the record."""
    rows = read(number)
    return list(dict.fromkeys(int(row["offset"]) for row in rows if row["code_sha256"] == code and row["claim"]))


def spent(number: str, code: str) -> set[int]:
    """The offsets at which earlier code of the lesson ran, or this code before it was changed and changed back."""
    return {int(row["offset"]) for row in read(number) if row["code_sha256"] != code or not row["claim"]}


def draw(number: str, n: int = FEWEST) -> list[int]:
    """Offsets at which no code of the lesson has run: multiples of 1,000 from 10,000 to 99,999,000, at random."""
    used = {int(row["offset"]) for row in read(number)}
    free = random.SystemRandom()
    drawn = []
    while len(drawn) < n:
        offset = APART * free.randrange(10, 100_000)
        if all(abs(offset - other) >= APART for other in used.union(drawn)):
            drawn.append(offset)
    return drawn


def of_the_week(today: date) -> int:
    """The offset of a week: ``202648000`` in the 48th of 2026; above all that are drawn, so nobody has used it."""
    year, week, _ = today.isocalendar()
    return APART * (100 * year + week)


def measured(found: dict) -> str:
    """What a finding's record says was measured, in words."""
    return summarise(found["measured"], found.get("interval"), found.get("n"))


def limits(rule: str) -> tuple[float, float]:
    """The limit of a finding in numbers, ``(low, high)``, from its words: "at least 2", "between 0 and 1".

    Raises:
        ValueError: other words.
    """
    if match := re.fullmatch(rf"at least {NUMBER}", rule):
        return float(match[1]), math.inf
    if match := re.fullmatch(rf"at most {NUMBER}", rule):
        return -math.inf, float(match[1])
    if match := re.fullmatch(rf"between {NUMBER} and {NUMBER}", rule):
        return float(match[1]), float(match[2])
    raise ValueError(f"A limit reads {rule!r}; expected 'at least 2', 'at most 2' or 'between 1 and 2'.")


def margin(values: Iterable[float], rule: str) -> float | None:
    """How far the nearest value is inside its limit; below 0 if it is outside.

    The distance as a part of the limit, ``(value - low) / |low|`` or ``(high - value) / |high|``; between two limits,
    as a part of half the room between them; where the limit is 0, the distance itself. None where there is no room:
    both limits are one number, or the limit is 0 and nothing else was measured.
    """
    values = list(values)
    low, high = limits(rule)
    if low == high or (0 in (low, high) and not any(values)):
        return None
    distance = min(min(values) - low, high - max(values))
    ends = [limit for limit in (low, high) if math.isfinite(limit)]
    whole = (high - low) / 2 if len(ends) == 2 else abs(sum(ends)) or 1
    return distance / whole


def standing(rows: list[dict[str, str]], claim: str, code: str) -> Standing:
    """How often a claim held with this code, and the smallest margin it had."""
    rows = [row for row in rows if row["claim"] == claim and row["code_sha256"] == code]
    if not rows:
        return Standing()
    result = Standing(sum(row["held"] == "yes" for row in rows), len(rows), -math.inf)
    if not all(row["measured"] for row in rows):
        return result
    rule = rows[0]["rule"]
    values = [float(value) for row in rows for value in row["measured"].split(";")]
    result.margin = margin(values, rule)
    low, high = limits(rule)
    counts = [number for number in (low, high, *values) if math.isfinite(number)]
    if result.margin is not None and all(number.is_integer() and abs(number) < 1000 for number in counts):
        result.steps = int(min(min(values) - low, high - max(values)))
    return result
