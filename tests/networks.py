"""Small networks of random weights, for tests that need no TensorFlow."""

import numpy as np

from utils.generation.engine import Engine, Weights

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def random_engine(cell: str = "LSTM", units: int = 12, layers: int = 1, symbols: int = 9, tied: bool = False) -> Engine:
    rng = np.random.default_rng(0)
    width = units if tied else 5
    cells = []
    for i in range(layers):
        inputs, gates = units if i else width, GATES[cell] * units
        bias = (2, gates) if cell == "GRU" else (gates,)
        cells.append((cell, tuple(rng.normal(size=s).astype("f4") for s in ((inputs, gates), (units, gates), bias))))
    head = None if tied else (2 * rng.normal(size=(units, symbols)).astype("f4"), rng.normal(size=symbols).astype("f4"))
    return Engine(Weights(rng.normal(size=(symbols, width)).astype("f4"), tuple(cells), head, 1.5 if tied else 1.0))
