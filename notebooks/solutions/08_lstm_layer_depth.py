"""Reference answers to the exercises of lesson 08. Try first: the check cells tell you what is missing."""


def stack_parameters(features: int, units: int, layers: int) -> int:
    """Four blocks a layer, each with input weights, recurrent weights and a bias."""
    first = 4 * units * (features + units + 1)
    other = 4 * units * (units + units + 1)
    return first + (layers - 1) * other


def same_parameters(features: int, units: int, layers: int) -> int:
    """Narrow the stack until it fits."""
    budget = stack_parameters(features, units, 1)
    narrow = units
    while stack_parameters(features, narrow, layers) > budget:
        narrow -= 1
    return narrow


def residual_stack(layers: list, x):
    """The first layer changes the width; each later one adds to what it was given."""
    h = layers[0](x)
    for layer in layers[1:]:
        h = h + layer(h)
    return h


def diagnose(seen: float, unseen: float, simple: float) -> str:
    """A network that has not learned what it saw cannot overfit: ask that first."""
    if seen > 0.95 * simple:
        return "stalls"
    return "overfits" if unseen > 1.1 * seen else "fine"


equal_work = {  # measured with text_trial, both at a learning rate of 0.04, seeds 0 to 5
    "steps_of_six": 150,
    "steps_of_one": 813,
    "predicted": "six",
    "differences": [-0.092, -0.045, -0.135, -0.152, -0.156, -0.062],
    "verdict": "one",
}
