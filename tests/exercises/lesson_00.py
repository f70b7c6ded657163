"""Typical wrong answers to the exercises of lesson 00, each with words that its feedback must contain."""

HEART = "mark every heartbeat in a recording as healthy or not"
MELODY = "compose a melody from a single mood"
GERMAN = "translate a question into German"
FAILURE = "say from a month of readings whether a machine will fail"
RIGHT = {HEART: "many to many, equal", MELODY: "one to many", GERMAN: "many to many, unequal", FAILURE: "many to one"}

loses_the_order = [
    ({"a", "b", "c", "d"}, "b depends on the order"),
    ({"a", "c"}, "d loses the order"),
    ({"a", "c", "d", "z"}, "no such letter"),
    (7, "expected a set"),
]

rnn_parameters = [
    (lambda f, u, o: u * (f + u) + o * u, "biases are missing"),
    (lambda f, u, o: u * (f + u + 1), "RNN alone"),
    (lambda f, u, o: u * (f + 1) + o * (u + 1), "recurrent matrix"),
    (lambda f, u, o: u * (f + u + 1) + o * u, "bias of the dense layer"),
    (lambda f, u, o: 7, "one by one"),
]

shapes = [
    (RIGHT | {HEART: "many to one"}, "not many to one"),
    (RIGHT | {GERMAN: "many to many, equal"}, "go in step"),
    (RIGHT | {MELODY: ...}, "has no shape yet"),
    (RIGHT | {FAILURE: "one to one"}, "expected one of"),
    (["many to one"], "expected the dict"),
]

step_back = [
    (lambda d, h, b, u: (b.T @ d, d @ u.T), "slope of tanh"),
    (lambda d, h, b, u: (b.T @ (d * (1 - h**2)), (d * (1 - h**2)) @ u), "transpose of U"),
    (lambda d, h, b, u: (h.T @ (d * (1 - h**2)), (d * (1 - h**2)) @ u.T), "*before*"),
    (lambda d, h, b, u: ((d * (1 - h**2)).T @ b, (d * (1 - h**2)) @ u.T), "transposed"),
    (lambda d, h, b, u: b.T @ (d * (1 - h**2)), "two arrays"),
    (lambda d, h, b, u: (b @ d.T, d @ u.T), "should have shape"),
]

may_read_both_ways = [
    ({"a", "b", "c", "e"}, "b may not"),
    ({"a", "c"}, "e may as well"),
    ({"a", "c", "e", "f"}, "no such letter"),
    (3, "expected a set"),
]
