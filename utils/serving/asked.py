"""What a client asks for, understood or refused in words that name the field, what came and what is expected."""

import functools
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from utils.generation import sampling
from utils.generation.sampling import Rule
from utils.serving.conversations import NAME

RULES = {"temperature": "t", "top_k": "k", "nucleus": "p", "min_p": "p", "typical": "p"}  # and their argument
LARGEST_BODY = 65_536  # bytes
LONGEST_PROMPT = 10_000  # characters
MOST_RULES = 10
FASTEST = 1000.0  # characters a second that a pace may ask for


class Refused(Exception):
    """Why a request is not answered.

    Attributes:
        status: of HTTP.
        field: of the request.
        got: what came, shortened.
        expected: what would have been understood.
    """

    def __init__(self, status: int, field: str, got: object, expected: str) -> None:
        self.status, self.field, self.expected = status, field, expected
        self.got = got if isinstance(got, int | float | bool | None) and abs(got or 0) < 1e15 else _short(got)
        super().__init__(f"{field} is {self.got!r}; expected {expected}.")


class Limits(NamedTuple):
    """How much one request may ask for."""

    longest: int  # characters
    deadline: float  # seconds


class Asked(NamedTuple):
    """A request for text.

    Attributes:
        prompt: text to be read first.
        length: characters to write at most.
        rules: of :mod:`utils.generation.sampling`, in this order, as pairs of a name and a number.
        greedy: take the likeliest character that the rules leave.
        seed: of the random numbers; chosen by the service when None.
        end: the character that ends the text, or None.
        conversation: True begins one, a name goes on with it, None keeps nothing.
        bits: tell how surprising each character was.
        in_doubt: ``"tell"`` or ``"stop"``, when the network finds the text unlikely.
        pace: characters a second at most, or None.
        deadline: seconds from the request until the text ends, done or not.
    """

    prompt: str
    length: int
    rules: tuple[tuple[str, float], ...]
    greedy: bool
    seed: int | None
    end: str | None
    conversation: bool | str | None
    bits: bool
    in_doubt: str
    pace: float | None
    deadline: float


def understand(body: bytes, limits: Limits) -> Asked:
    """Read a request.

    Args:
        body: JSON, an object with the fields of :class:`Asked`; all but ``prompt`` may be left out.
        limits: of the service.

    Raises:
        Refused: anything else; names the first field that is wrong.
    """
    try:
        fields = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "body", body[:80].decode("utf-8", "replace"), f"JSON in UTF-8 ({error})") from None
    if not isinstance(fields, dict):
        raise Refused(422, "body", fields, 'a JSON object such as {"prompt": "And it came to pass"}')
    for name in fields:
        if name not in Asked._fields:
            hint = f' Rules are given as "rules": [["{name}", 0.8]].' if name in RULES else ""
            raise Refused(
                422,
                _short(name) or '""',
                fields[name],
                f"one of the fields {', '.join(Asked._fields)}.{hint}".rstrip("."),
            )
    return Asked(
        prompt=_take(fields, "prompt", "", f"text of at most {LONGEST_PROMPT} characters", _is_text),
        length=_take(fields, "length", 200, f"a whole number from 1 to {limits.longest}", _whole(1, limits.longest)),
        rules=_rules(fields.get("rules", [])),
        greedy=_take(fields, "greedy", False, "true or false", _is_switch),
        seed=_take(
            fields, "seed", None, f"a whole number from 0 to {2**32 - 1}, or null", _or_none(_whole(0, 2**32 - 1))
        ),
        end=_take(
            fields, "end", None, "one character, or null", _or_none(lambda value: _is_text(value) and len(value) == 1)
        ),
        conversation=_take(
            fields,
            "conversation",
            None,
            "true to begin one, the 24 digits of its name to go on, or null",
            _is_conversation,
        ),
        bits=_take(fields, "bits", False, "true or false", _is_switch),
        in_doubt=_take(fields, "in_doubt", "tell", "'tell' or 'stop'", lambda value: value in ("tell", "stop")),
        pace=_take(
            fields,
            "pace",
            None,
            f"characters a second, from 0.1 to {FASTEST:g}, or null",
            _or_none(_number(0.1, FASTEST)),
        ),
        deadline=_take(
            fields,
            "deadline",
            limits.deadline,
            f"seconds, from 0.001 to {limits.deadline:g}",
            _number(0.001, limits.deadline),
        ),
    )


@functools.lru_cache(maxsize=1000)
def rules_of(pairs: tuple[tuple[str, float], ...]) -> tuple[Rule, ...]:
    """The rules of pairs of a name and a number; equal pairs give the same objects, so that they are drawn together."""
    return tuple(functools.partial(getattr(sampling, name), **{RULES[name]: value}) for name, value in pairs)


def _rules(given: object) -> tuple[tuple[str, float], ...]:
    expected = (
        f'a list of at most {MOST_RULES} pairs such as [["temperature", 0.8], ["nucleus", 0.95]], with the names '
    )
    expected += ", ".join(RULES)
    if not isinstance(given, list) or len(given) > MOST_RULES:
        raise Refused(422, "rules", given, expected)
    pairs = []
    for i, pair in enumerate(given):
        field = f"rules[{i}]"
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and pair[0] in RULES):
            raise Refused(422, field, pair, expected)
        name, value = pair
        if not _number(-1e9, 1e9)(value):
            raise Refused(422, field, pair, f"a number for {name}")
        try:
            rules_of(((name, value),))[0](np.zeros(2))
        except ValueError as error:
            raise Refused(422, field, pair, str(error).rpartition("expected ")[2].rstrip(".")) from None
        pairs.append((name, value))
    return tuple(pairs)


def _take(fields: dict, name: str, default, expected: str, fits: Callable[[object], bool]):
    """A field that fits, or the default where it is missing."""
    if name not in fields:
        return default
    try:
        if fits(fields[name]):
            return fields[name]
    except TypeError:  # a list or an object where a value was expected
        pass
    raise Refused(422, name, fields[name], expected)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_PROMPT


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_conversation(value: object) -> bool:
    return value is None or value is True or (isinstance(value, str) and NAME.fullmatch(value) is not None)


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _no_number(word: str):
    raise ValueError(f"{word} is not JSON")


def _short(value: object) -> str:
    said = value if isinstance(value, str) else json.dumps(value, default=repr)
    return said if len(said) <= 80 else f"{said[:80]}…"
