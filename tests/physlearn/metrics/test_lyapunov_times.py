"""Valid prediction times in Lyapunov times."""

import pytest
import torch
from torch.testing import assert_close

from physlearn.metrics import lyapunov_times
from systems import InputError

VALID = torch.tensor([[10.0, 20.0], [30.0, 40.0]])


def test_a_deviation_grows_by_e_in_each():
    exponent = 0.25
    grown = torch.exp(exponent * VALID)  # from 1
    assert_close(lyapunov_times(VALID, torch.tensor(exponent)), grown.log())


def test_only_what_is_chaotic_has_a_lyapunov_time():
    exponent = torch.tensor([[0.05, 0.01], [torch.nan, -0.2]])
    chaotic = torch.tensor([[True, False], [False, False]])
    assert_close(lyapunov_times(VALID, exponent, chaotic)[0, 0], torch.tensor(0.5))
    assert lyapunov_times(VALID, exponent, chaotic).isnan().tolist() == (~chaotic).tolist()
    assert lyapunov_times(VALID, exponent).isnan().tolist() == [[False, False], [True, True]]


def test_classes_of_other_orbits_are_refused():
    with pytest.raises(InputError, match="chaotic must have the shape"):
        lyapunov_times(VALID, torch.full((2, 2), 0.1), torch.tensor([True, False, True]))
