"""Values that compute the same look the same, those that do not look different, and what cannot be told is not told."""

import functools
import math
import random
import textwrap
import types

import cloudpickle
import numpy as np
import pytest

from utils.training.fingerprint import CannotTell, Fingerprint


def of(value) -> str:
    return Fingerprint().of(value)


def run(source: str, **names):
    """What a notebook's cell leaves behind."""
    names |= {"__name__": "__main__"}
    exec(compile(textwrap.dedent(source), "<cell>", "exec"), names)
    return types.SimpleNamespace(**names)


def scaled(w):
    return lambda t, p: w * (t - p) ** 2


def test_what_does_the_same_looks_the_same():
    for make in (
        lambda: [1, 2.5, "a", None, True, (b"x", {"k": {3, 4}})],
        lambda: np.arange(3.0),
        lambda: scaled(10),
        lambda: functools.partial(scaled, w=2),
        lambda: run("import numpy as np\nW = 3\ndef loss(t, p): return W * np.abs(t - p)").loss,
        lambda: run("class A:\n  def f(self): return super().__init__()\n  def g(self): return A().f()").A,
        lambda: types.SimpleNamespace(a=1, b=[math.sin, np.tanh]),
        lambda: lambda x: x[..., None],
    ):
        assert of(make()) == of(make())


def test_code_on_another_line_or_with_another_comment_is_the_same():
    first = run("def loss(t, p):\n    return abs(t - p)").loss
    assert of(first) == of(run("# here\n\ndef loss(t, p):\n    # why\n    return abs(t - p)").loss)


def test_a_function_and_a_class_that_came_through_a_pickle_are_the_same():
    cell = "W = 3\nclass Layer:\n    def call(self, x): return W * x\ndef loss(t, p): return W * Layer().call(t - p)"
    made = run(cell)
    for value in (made.loss, made.Layer):
        assert of(value) == of(cloudpickle.loads(cloudpickle.dumps(value)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("1", 1),
        ([1, 2], [2, 1]),
        (np.zeros(3), np.zeros(3, "float32")),
        (np.arange(2000), np.where(np.arange(2000) == 1000, 0, np.arange(2000))),  # printed alike, with "..."
        (scaled(1), scaled(10)),
        (scaled([1, 2]), scaled([1, 3])),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (math.sin, math.cos),
        (lambda t, p=1: p, lambda t, p=2: p),
        (lambda t, *, p=1: p, lambda t, *, p=2: p),
        (lambda t: t + 1, lambda t: t - 1),
        (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    ],
)
def test_what_differs_looks_different(one, other):
    assert of(one) != of(other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("W = 1\ndef loss(t): return W * t", "W = 2\ndef loss(t): return W * t"),
        ("def h(t): return t\ndef loss(t): return h(t)", "def h(t): return -t\ndef loss(t): return h(t)"),
        ("class loss:\n  def call(s, t): return t", "class loss:\n  def call(s, t): return 2 * t"),
        ("class loss:\n  scale = 1", "class loss:\n  scale = 2"),
        ("class B:\n  k = 1\nclass loss(B): pass", "class B:\n  k = 2\nclass loss(B): pass"),
        ("W = 1\nclass loss:\n  def call(s, t): return W * t", "W = 2\nclass loss:\n  def call(s, t): return W * t"),
        ("W = 1\ndef loss(t): return [W * x for x in t]", "W = 2\ndef loss(t): return [W * x for x in t]"),
        ("W = 1\ndef loss(t):\n  return (lambda: W)()", "W = 2\ndef loss(t):\n  return (lambda: W)()"),
        ("def loss(t): return t\nloss.w = 1", "def loss(t): return t\nloss.w = 2"),
        (
            "def f(t): return -loss(t)\ndef loss(t): return f(t)",
            "def f(t): return loss(t)\ndef loss(t): return f(t)",
        ),
        (
            "class loss:\n  @property\n  def p(s): return 1",
            "class loss:\n  @property\n  def p(s): return 2",
        ),
        (
            "class loss:\n  @staticmethod\n  def p(): return 1",
            "class loss:\n  @staticmethod\n  def p(): return 2",
        ),
    ],
)
def test_an_edit_under_the_same_name_is_seen(before, after):
    assert of(run(before).loss) == of(run(before).loss)
    assert of(run(before).loss) != of(run(after).loss)


def test_a_class_changed_in_place_is_seen():
    kind = run("class A:\n  def f(self): return 1").A
    before = of(kind)
    kind.f = lambda self: 2
    assert of(kind) != before


def test_a_value_changed_in_place_is_seen():
    weights = [1, 2]
    loss = scaled(weights)
    before = of(loss)
    weights[0] = 10
    assert of(loss) != before


def test_what_a_module_of_ones_own_holds_is_seen(tmp_path, monkeypatch):
    (tmp_path / "own_losses.py").write_text("W = 1\ndef base(t): return W * t\n")
    monkeypatch.syspath_prepend(tmp_path)
    import own_losses  # ty: ignore

    through = run("import own_losses\ndef loss(t): return own_losses.base(t)").loss
    inside = run("def loss(t):\n    from own_losses import base\n    return base(t)").loss
    before = of(own_losses.base), of(through), of(inside)
    own_losses.W = 2
    after = of(own_losses.base), of(through), of(inside)
    assert all(a != b for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    "value",
    [
        np.random.default_rng(0),
        iter([1]),
        random.Random(0),
        run("def loss(t): return eval('W') * t").loss,
        run("def loss(t): return globals()['W'] * t").loss,
        scaled(np.random.default_rng(0)),
        np.array([object()]),
    ],
)
def test_what_is_hidden_is_not_told(value):
    with pytest.raises(CannotTell):
        of(value)


def test_many_functions_that_all_name_each_other_are_given_up_on():
    def web(n: int):
        names = [f"f{i}" for i in range(n)]
        return run("\n".join(f"def {name}(): return [{', '.join(names)}]" for name in names)).f0

    assert of(web(4)) == of(web(4))
    with pytest.raises(CannotTell, match="too much hangs together"):
        of(web(12))
