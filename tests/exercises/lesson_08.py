"""Typical wrong answers to the exercises of lesson 08, each with words that its feedback must contain."""


def _one(features, units, blocks=4, bias=1):
    return blocks * units * (features + units + bias)


def _stack(features, units, layers, **kwargs):
    return _one(features, units, **kwargs) + (layers - 1) * _one(units, units, **kwargs)


def _too_wide(features, units, layers):
    fits = [u for u in range(1, units + 1) if _stack(features, u, layers) <= _one(features, units)]
    return max(fits) + (layers > 1)


def _skip_everywhere(layers, x):
    for layer in layers:
        x = x + layer(x)
    return x


def _plain(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def _product(layers, x):
    h = layers[0](x)
    for layer in layers[1:]:
        h = h * layer(h)
    return h


def _in_place(layers, x):
    x[:] = layers[0](x)
    for layer in layers[1:]:
        x += layer(x)
    return x


def _in_place_later(layers, x):
    h = layers[0](x)
    for layer in layers[1:]:
        h += layer(h)
    return h


def _gap_first(seen, unseen, simple):
    if unseen > 1.1 * seen:
        return "overfits"
    return "stalls" if seen > 0.95 * simple else "fine"


def _by_unseen(seen, unseen, simple):
    if unseen > 0.95 * simple:
        return "stalls"
    return "overfits" if unseen > 1.1 * seen else "fine"


def _difference(seen, unseen, simple):
    if seen > 0.95 * simple:
        return "stalls"
    return "overfits" if unseen > seen + 0.1 else "fine"


stack_parameters = [
    (lambda features, units, layers: layers * _one(features, units), "only the first layer reads the features"),
    (lambda features, units, layers: layers * _one(units, units), "the first layer reads 3 features"),
    (lambda features, units, layers: _stack(features, units, layers, bias=0), "biases are missing"),
    (lambda features, units, layers: _stack(features, units, layers, blocks=3), "3 of an LSTM's 4 blocks"),
    (lambda features, units, layers: _one(features, units), "first layer alone"),
    (lambda features, units, layers: _one(features, units) + (layers - 1) * _one(0, units), "two matrices"),
    (lambda features, units, layers: 7, "expected 560"),
]

same_parameters = [
    (lambda features, units, layers: units // layers, "divided by the layers"),
    (lambda features, units, layers: units, "equal units, not equal parameters"),
    (_too_wide, "Stay at or below"),
    (lambda features, units, layers: 10.5, "units are whole"),
    (lambda features, units, layers: 2, "still fit into"),
    (lambda features, units, layers: round(units / layers**0.5), "Stay at or below"),
    (lambda features, units, layers: int(units / layers**0.5), "that has 3588 parameters"),
]

residual_stack = [
    (_skip_everywhere, "the first layer has a skip as well"),
    (_plain, "there is no skip"),
    (lambda layers, x: _plain(layers, x) + layers[0](x) * (len(layers) > 1), "one skip around the whole"),
    (_product, "a skip adds them"),
    (_in_place, "changed the input"),
    (_in_place_later, "changed the input"),
    (lambda layers, x: _plain(layers, x) + x, "one skip around the whole"),
    (lambda layers, x: layers[0](x)[-1], "should have shape"),
]

diagnose = [
    (_gap_first, "has not even learned what it saw"),
    (_by_unseen, "what it saw it has learned"),
    (_difference, "Take the ratio"),
    (lambda seen, unseen, simple: "fine", "not even 5% better"),
    (lambda seen, unseen, simple: seen < unseen, "expected one of"),
]

_done = {"steps_of_six": 150, "steps_of_one": 813, "predicted": "six", "differences": [-0.1, -0.12, -0.09]}

equal_work = [
    (_done | {"verdict": "six"}, "with fewer bits on the side of 'one'"),
    (_done | {"steps_of_one": 150, "verdict": "one"}, "are equal steps"),
    (_done | {"steps_of_one": 600, "verdict": "one"}, "times the work"),
    (_done | {"differences": [-0.1], "verdict": "one"}, "one for each seed"),
    (_done | {"differences": [-0.1, 0.2, -0.05], "verdict": "one"}, "zero is inside"),
    (_done | {"predicted": "both", "verdict": "one"}, "expected 'one' or 'six'"),
    (_done | {"steps_of_six": 150.5, "verdict": "one"}, "whole numbers"),
    ({"verdict": "one"}, "as in the stub"),
]
