"""Weights in few bits against TensorFlow's own rounding, by the bytes that hold them, and through a model."""

import numpy as np
import pytest

from utils.generation.quantization import quantize, quantized_weights
from utils.models.language_model import build_language_model
from utils.runtime import keras, tf


@pytest.mark.parametrize("bits", range(2, 9))
def test_rounding_is_that_of_tensorflow_per_channel(bits):
    matrix = np.random.default_rng(bits).normal(size=(30, 7)).astype("float32")
    matrix[3, 2] = 9.0  # one large weight in one column
    largest = np.abs(matrix).max(axis=0)
    expected = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        matrix, -largest, largest, num_bits=bits, narrow_range=True
    )
    np.testing.assert_allclose(quantize(matrix, bits).restored(), expected, atol=1e-5)


@pytest.mark.parametrize("bits", [4, 8])
def test_one_scale_for_all_is_that_of_tensorflow(bits):
    matrix = np.random.default_rng(0).normal(size=(30, 7)).astype("float32")
    largest = np.abs(matrix).max()
    expected = tf.quantization.fake_quant_with_min_max_args(matrix, -largest, largest, bits, narrow_range=True)
    np.testing.assert_allclose(quantize(matrix, bits, per="matrix").restored(), expected, atol=1e-5)


@pytest.mark.parametrize(("bits", "per_number"), [(8, 1), (4, 0.5), (3, 0.375)])
def test_the_bytes_are_those_that_hold_the_numbers(bits, per_number):
    matrix = np.random.default_rng(0).normal(size=(64, 32))
    small = quantize(matrix, bits)
    assert len(small.packed) == 64 * 32 * per_number
    assert small.nbytes == 64 * 32 * per_number + 4 * 32
    assert np.abs(small.numbers).max() == 2 ** (bits - 1) - 1
    by_hand = np.round(matrix / np.abs(matrix).max(axis=0) * (2 ** (bits - 1) - 1))
    np.testing.assert_array_equal(small.numbers, by_hand)


def test_a_column_of_zeros_stays_zero_and_sizes_need_not_fill_a_byte():
    matrix = np.zeros((3, 3))
    matrix[:, 1] = [1, -2, 0.5]
    restored = quantize(matrix, 3).restored()
    assert not restored[:, [0, 2]].any()
    np.testing.assert_allclose(restored[:, 1], [4 / 3, -2, 2 / 3], atol=1e-6)  # 1 is halfway, and goes to the even one


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_model_keeps_its_biases_and_takes_what_its_matrices_take(cell):
    keras.utils.set_random_seed(0)
    model = build_language_model(20, 16, cell=cell)
    model.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in model.get_weights()])
    weights, size = quantized_weights(model, 4)
    names = [variable.name for variable in model.weights]
    assert sorted(names) == ["bias", "bias", "embeddings", "kernel", "kernel", "recurrent_kernel"]
    expected = 0
    for name, before, after in zip(names, model.get_weights(), weights, strict=True):
        if name == "bias":
            np.testing.assert_array_equal(before, after)
            expected += 4 * before.size
        else:
            assert 0 < np.abs(before - after).max() <= np.abs(before).max() / 7 / 2 + 1e-6
            expected += before.size // 2 + 4 * before.shape[1]
    assert size == expected
    model.set_weights(weights)
    again, _ = quantized_weights(model, 4)
    for after, twice in zip(weights, again, strict=True):
        np.testing.assert_allclose(after, twice, atol=1e-6)  # what is rounded is not rounded further


def test_what_cannot_be_rounded_is_refused_in_words():
    for bits in (1, 9, 2.5):
        with pytest.raises(ValueError, match="expected 2 to 8"):
            quantize(np.ones((2, 2)), bits)
    with pytest.raises(ValueError, match="'column' or 'matrix'"):
        quantize(np.ones((2, 2)), per="row")
    for matrix in (np.ones(3), np.ones((0, 2)), [[1, np.nan]]):
        with pytest.raises(ValueError, match=r"expected \(rows, columns\)"):
            quantize(matrix)


@pytest.mark.filterwarnings("ignore")
def test_keras_own_int8_leaves_recurrent_weights_in_32_bits():
    """A folk belief of lesson 14. If this fails, Keras has learned it: the lesson has to say so."""
    model = build_language_model(20, 16, cell="GRU")
    model.quantize("int8")
    vectors, layer, head = model.layers
    for kept_small in (vectors, head):
        assert "int8" in {weight.dtype for weight in kept_small.weights}
    assert [weight.dtype for weight in layer.weights] == ["float32"] * 3  # kernel, recurrent kernel, bias
