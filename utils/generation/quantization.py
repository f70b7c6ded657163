"""Weights in few bits: a whole number for each weight, and one scale for each column.

Taught in lesson 14. A column of a kernel holds the weights of one unit, so a unit with large weights does not coarsen
those of its neighbours. Biases, a thousandth of the whole, stay what they are.

NumPy multiplies whole numbers slowly, so nothing here is faster: the weights are rounded, the bytes counted, and the
arithmetic is that of float32. LiteRT computes in 8 bits, see :func:`utils.generation.export.export_step`.
"""

from typing import NamedTuple

import numpy as np

from utils.runtime import keras


class Quantized(NamedTuple):
    """A matrix in few bits.

    Attributes:
        packed: the whole numbers, row by row, in as few bytes as hold them.
        scale: of each column, shape (1, columns), or one for all, (1, 1); a weight is its number times the scale.
        shape: (rows, columns).
        bits: of a number.
    """

    packed: bytes
    scale: np.ndarray
    shape: tuple[int, int]
    bits: int

    @property
    def nbytes(self) -> int:
        return len(self.packed) + self.scale.nbytes

    @property
    def numbers(self) -> np.ndarray:
        """Whole numbers from -(2^(bits - 1) - 1) to 2^(bits - 1) - 1, shape (rows, columns)."""
        bits = np.unpackbits(np.frombuffer(self.packed, np.uint8), count=np.prod(self.shape) * self.bits)
        places = 1 << np.arange(self.bits)[::-1]  # the highest first
        return (bits.reshape(*self.shape, self.bits) @ places - _largest(self.bits)).astype(np.int8)

    def restored(self) -> np.ndarray:
        """The matrix as it is computed with, float32."""
        return self.numbers * self.scale


def quantize(matrix, bits: int = 8, *, per: str = "column") -> Quantized:
    """Round a matrix to whole numbers, the largest of each column to the largest number there is.

    Args:
        matrix: shape (rows, columns).
        bits: 2 to 8.
        per: "column", or "matrix" for one scale, which its single largest weight decides.

    Raises:
        ValueError: another number of bits, another ``per``, or something that is no finite matrix.
    """
    matrix = np.asarray(matrix, dtype=np.float32)
    if bits not in range(2, 9) or per not in ("column", "matrix"):
        raise ValueError(f"bits is {bits} and per {per!r}; expected 2 to 8, and 'column' or 'matrix'.")
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise ValueError(f"The matrix has the shape {matrix.shape}; expected (rows, columns) of finite numbers.")
    largest = np.abs(matrix).max(axis=0 if per == "column" else None, keepdims=True)  # (1, columns) or (1, 1)
    scale = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(_largest(bits))
    numbers = np.rint(matrix / scale).astype(int) + _largest(bits)  # none is negative now
    binary = (numbers[..., None] >> np.arange(bits)[::-1]) & 1  # (rows, columns, bits)
    return Quantized(np.packbits(binary.astype(np.uint8)).tobytes(), scale, matrix.shape, bits)


def quantized_weights(model: "keras.Model", bits: int = 8, *, per: str = "column") -> tuple[list[np.ndarray], int]:
    """The weights of a model after rounding, and the bytes that they take.

    ``copy.set_weights(weights)`` makes a model that computes what the small one would.

    Args:
        model: its embeddings, kernels and recurrent kernels are rounded, its biases are not.
        bits, per: see :func:`quantize`.

    Returns:
        The weights in the order of ``model.get_weights()``, and how many bytes they take.

    Raises:
        ValueError: as :func:`quantize`.
    """
    weights, size = [], 0
    for variable in model.weights:
        weight = np.asarray(variable)
        if variable.name.endswith(("kernel", "embeddings")):
            small = quantize(weight, bits, per=per)
            weight = small.restored()
            size += small.nbytes
        else:
            size += weight.nbytes
        weights.append(weight)
    return weights, size


def _largest(bits: int) -> int:
    return 2 ** (bits - 1) - 1
