import math

import pytest
import torch

from physlearn.explorer.asked import Asked, plain
from systems import InputError


@pytest.mark.parametrize(
    ("read", "values", "match"),
    [
        (lambda a: a.word("system"), {"system": 3}, "system must be a text"),
        (lambda a: a.word("system"), {"system": "x" * 201}, "at most 200"),
        (lambda a: a.number("time", 0, 10), {"time": 11}, "time must be a number from 0 to 10, not 11"),
        (lambda a: a.number("time", 0, 10), {"time": math.nan}, "time must be"),
        (lambda a: a.number("time", 0, 10), {"time": True}, "time must be"),
        (lambda a: a.number("time", 0, 10), {}, "not None"),
        (lambda a: a.whole("epochs", 1, 10), {"epochs": 2.5}, "whole number, not 2.5"),
        (lambda a: a.states("z0", [2]), {"z0": [1.0]}, "z0 must hold 2 finite numbers"),
        (lambda a: a.states("z0", [2]), {"z0": [1.0, math.inf]}, "finite"),
        (lambda a: a.states("z0", [2, 2]), {"z0": [[1, 2], [3]]}, "2 x 2 finite"),
        (lambda a: a.states("z0", [1]), {"z0": "1"}, "finite"),
        (lambda a: a.parts("lines", 1), {"lines": [{}, {}]}, "at most 1"),
        (lambda a: a.parts("lines", 1), {"lines": [3]}, "JSON object"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_a_sentence_that_names_it(read, values, match):
    with pytest.raises(InputError, match=match):
        read(Asked(values))


def test_a_request_must_be_an_object():
    with pytest.raises(InputError, match="JSON object"):
        Asked([1, 2])


def test_numbers_are_rounded_to_digits_of_the_largest():
    assert plain(torch.tensor([1234.56789, 0.0123456], dtype=torch.float64)) == [1234.6, 0.0]
    assert plain(torch.tensor([0.0, 0.0])) == [0.0, 0.0]
    assert plain(torch.tensor([[math.inf, 1e-300]], dtype=torch.float64)) == [[None, 1e-300]]
