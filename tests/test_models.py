"""The builder and the initialisers: parameter counts, shapes, starting gates, and errors that list what is valid."""

import numpy as np
import pytest

from utils.models.initializers import Chrono, ForgetBias
from utils.models.recurrent import build_recurrent
from utils.runtime import keras


@pytest.mark.parametrize(("cell", "blocks", "biases"), [("RNN", 1, 1), ("LSTM", 4, 1), ("GRU", 3, 2)])
def test_parameter_counts(cell, blocks, biases):
    model = build_recurrent(cell, units=7, features=3, outputs=2)
    assert model.count_params() == blocks * 7 * (3 + 7 + biases) + 7 * 2 + 2


def test_shapes():
    assert build_recurrent("GRU", 4, features=3, outputs=2).output_shape == (None, 2)
    assert build_recurrent("GRU", 4, 3, features=3, every_step=True).output_shape == (None, None, 1)
    model = build_recurrent("LSTM", 4, vocabulary=11, sequence_length=9, outputs=11, bidirectional=True, dropout=0.1)
    assert model.input_shape == (None, 9)
    assert model.layers[1].output.shape == (None, 8)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"cell": "lstm"}, "Unknown cell 'lstm'; expected one of RNN, LSTM, GRU"),
        ({"vocabulary": 5}, "either features .* or vocabulary"),
        ({"features": None}, "either features .* or vocabulary"),
        ({"units": 0}, "units is 0"),
        ({"layers": 0}, "layers is 0"),
        ({"cell": "GRU", "forget_bias": 1}, "GRU has no forget gate"),
        ({"cell": "RNN", "longest": 9}, "no gate"),
        ({"forget_bias": 1, "longest": 9}, "give one"),
        ({"longest": 2}, "more than 2 steps"),
        ({"features": 1, "mask_zero": True}, "mask_zero is for symbols"),
        ({"cell": ("LSTM", "gru")}, "Unknown cell 'gru'"),
        ({"cell": ("LSTM", "GRU"), "layers": 3}, "layers is 3 .* expected one for each layer"),
        ({"cell": ()}, "layers is 0"),
        ({"cell": ("LSTM", "GRU"), "forget_bias": 1}, "GRU has no forget gate"),
        ({"cell": ("LSTM", "GRU"), "normalization": "layer"}, "normalization is for an LSTM"),
        ({"residual": True, "bidirectional": True}, "residual and bidirectional together"),
    ],
)
def test_bad_input_is_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build_recurrent(**{"features": 1, **kwargs})


def test_a_mixed_stack_is_its_layers_one_after_the_other():
    keras.utils.set_random_seed(0)
    model = build_recurrent(("GRU", "LSTM", "minGRU"), 4, features=3, sequence_length=5, outputs=2)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["GRU", "LSTM", "MinimalRNN", "Dense"]
    x = expected = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    for layer in model.layers:
        expected = layer(expected)
    np.testing.assert_array_equal(model(x), expected)
    assert model.count_params() == 3 * 4 * (3 + 4 + 2) + 4 * 4 * (4 + 4 + 1) + 2 * 4 * (4 + 1) + 2 * (4 + 1)


def test_a_pure_stack_can_be_named_either_way():
    models = []
    for arguments in ({"cell": ("LSTM", "LSTM")}, {"cell": "LSTM", "layers": 2}):
        keras.utils.set_random_seed(0)
        models.append(build_recurrent(units=4, features=3, longest=9, **arguments))
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_masked_padding_changes_nothing():
    keras.utils.set_random_seed(0)
    model = build_recurrent("LSTM", 5, vocabulary=6, mask_zero=True)
    x = np.array([[3, 1, 5]])
    padded = np.pad(x, ((0, 0), (0, 4)))  # four zeros after it
    np.testing.assert_allclose(model(padded), model(x), rtol=1e-6)


def test_forget_bias_sits_on_the_forget_gates_only():
    bias = build_recurrent("LSTM", 4, features=1, forget_bias=3).layers[0].get_weights()[2]
    np.testing.assert_array_equal(bias.reshape(4, 4), [[0] * 4, [3] * 4, [0] * 4, [0] * 4])


def test_chrono_spreads_time_constants_up_to_the_longest():
    keras.utils.set_random_seed(0)
    bias = build_recurrent("LSTM", 500, features=1, longest=100).layers[0].get_weights()[2].reshape(4, 500)
    np.testing.assert_allclose(bias[0], -bias[1])
    times = np.exp(bias[1])
    assert 1 <= times.min() < 3
    assert 95 < times.max() <= 99
    assert times.mean() == pytest.approx(50, abs=4)  # uniform
    bias = build_recurrent("GRU", 500, features=1, longest=100).layers[0].get_weights()[2].reshape(2, 3, 500)
    assert np.exp(bias[0, 0]).max() > 95  # Keras' z keeps
    assert not bias[0, 1:].any()
    assert not bias[1].any()


def test_chrono_follows_the_global_seed_and_differs_between_layers():
    def biases():
        keras.utils.set_random_seed(3)
        model = build_recurrent("LSTM", 6, 2, features=1, longest=50)
        return [layer.get_weights()[2] for layer in model.layers[:2]]

    first, second = biases()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, biases()[0])


@pytest.mark.parametrize("initializer", [ForgetBias(2.0), Chrono(40, seed=1)])
def test_saved_with_a_model(initializer, tmp_path):
    layer = keras.layers.LSTM(3, bias_initializer=initializer, unit_forget_bias=False)
    model = keras.Sequential([keras.Input((None, 1)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].bias_initializer.get_config() == initializer.get_config()


def test_an_initializer_on_the_wrong_layer_says_so():
    with pytest.raises(ValueError, match="an LSTM's bias"):
        ForgetBias(1)((6, 7))


@pytest.mark.parametrize("every_step", [True, False])
def test_residual_adds_what_each_layer_was_given(every_step):
    keras.utils.set_random_seed(0)
    shape = {"features": 2, "outputs": 3, "every_step": every_step}
    model = build_recurrent("LSTM", 5, 3, residual=True, **shape)
    plain = build_recurrent("LSTM", 5, 3, **shape)
    assert model.count_params() == plain.count_params()
    x = np.random.default_rng(0).normal(size=(4, 7, 2)).astype("float32")
    first, second, third = (layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    h = first(x)  # (batch, time, units); no skip, the input has another width
    h = h + second(h)
    h = h + third(h)
    expected = model.layers[-1](h if every_step else h[:, -1])
    np.testing.assert_allclose(model(x), expected, atol=1e-6)
    plain.set_weights(model.get_weights())
    assert not np.allclose(plain(x), expected, atol=1e-3)


def test_residual_with_one_layer_changes_nothing():
    keras.utils.set_random_seed(0)
    with_skips, plain = (build_recurrent("GRU", 4, 1, features=2, residual=residual) for residual in (True, False))
    with_skips.set_weights(plain.get_weights())
    x = np.random.default_rng(0).normal(size=(4, 7, 2)).astype("float32")
    np.testing.assert_allclose(with_skips(x), plain(x), atol=1e-6)


def test_residual_passes_over_padding_and_survives_saving(tmp_path):
    keras.utils.set_random_seed(0)
    model = build_recurrent("LSTM", 5, 2, vocabulary=6, mask_zero=True, dropout=0.3, residual=True)
    x = np.array([[3, 1, 5]])
    np.testing.assert_allclose(model(np.pad(x, ((0, 0), (0, 4)))), model(x), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), model(x), rtol=1e-6)
