import numpy as np
import pytest
import torch

from systems import InputError, Orbit
from systems.recording.even_steps import common_step, even_stretches

T = torch.arange(20, dtype=torch.float64) * 0.1


def line(t):
    return Orbit(t, torch.stack([t, -t], -1))


def test_a_hole_and_a_missing_value_end_a_stretch():
    z = line(T).z.clone()
    z[5, 1] = torch.nan
    holed = Orbit.of([z[:12], z[15:]], [T[:12], T[15:]])
    found = even_stretches([holed], common_step([holed], "it"), "it")
    assert [one.t.tolist() for one in found] == [T[:5].tolist(), T[6:12].tolist(), T[15:].tolist()]
    assert all(torch.equal(one.z[:, 0], one.t) for one in found)


def test_runs_backward_in_time_are_turned_around():
    (found,) = even_stretches([line(T.flip(0))], 0.1, "it")
    assert torch.equal(found.t, T)


def test_finer_runs_are_thinned_out_up_to_their_last_state():
    (found,) = even_stretches([line(T)], 0.3, "it")
    np.testing.assert_allclose(found.t, [0.1, 0.4, 0.7, 1.0, 1.3, 1.6, 1.9])


def test_rounded_times_are_equal_steps_but_uneven_ones_are_refused():
    assert len(even_stretches([line(100 + T.float())], 0.1, "it")) == 1
    uneven = T.clone()
    uneven[7] += 0.03
    with pytest.raises(InputError, match=r"equal steps of 0\.1, but t = 0\.6 is followed by 0\.73"):
        even_stretches([line(uneven)], 0.1, "it")
    with pytest.raises(InputError, match=r"equal steps of 0\.15"):
        even_stretches([line(T)], 0.15, "it")
