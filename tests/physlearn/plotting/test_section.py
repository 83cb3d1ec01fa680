"""Pictures of sections: what is drawn are the crossings, and the border that the energy sets."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from physlearn.chaos import poincare_section
from physlearn.plotting import section_boundary, section_plot
from systems import InputError
from systems.sampling import on_section

POINTS = pd.DataFrame(
    {
        "orbit": [0, 0, 1, 2, 2],
        "t": np.arange(5.0),
        "x": 0.0,
        "y": [0.1, 0.2, 0.3, -0.1, -0.2],
        "p_y": [0.0, 0.1, 0.2, 0.3, 0.4],
    }
)


def dots(ax):
    (scatter,) = ax.collections
    return scatter


def test_every_crossing_is_a_dot_in_the_plane_that_was_asked_for():
    ax = section_plot(POINTS, ("y", "p_y"))
    np.testing.assert_allclose(dots(ax).get_offsets(), POINTS[["y", "p_y"]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$y$", "$p_{y}$")
    ax.figure.canvas.draw()


def test_an_orbit_has_one_colour_and_another_orbit_another():
    colours = dots(section_plot(POINTS, ("y", "p_y"))).get_facecolors()
    assert (colours[0] == colours[1]).all()
    assert len(np.unique(colours, axis=0)) == 3


def test_chaotic_orbits_are_grey_and_regular_ones_are_not():
    colours = dots(section_plot(POINTS, ("y", "p_y"), chaotic=[True, False, True])).get_facecolors()[:, :3]
    grey = np.ptp(colours, axis=1) == 0
    assert grey.tolist() == [True, True, False, True, True]


def test_a_section_without_crossings_is_an_empty_picture():
    ax = section_plot(POINTS[:0], ("y", "p_y"))
    assert len(dots(ax).get_offsets()) == 0
    ax.figure.canvas.draw()


def test_a_plane_of_what_is_no_coordinate_is_refused():
    with pytest.raises(InputError, match="no coordinate 'q' in a section with orbit, t, x, y, p_y"):
        section_plot(POINTS, ("y", "q"))


@pytest.mark.parametrize(("name", "surface", "energy"), [("henon-heiles", "x", 0.125), ("double-pendulum", "theta_1", -15.0)])
def test_on_the_border_all_energy_is_used_up(name, surface, energy):
    """There the coordinate across is at its turning point: its velocity vanishes."""
    system = systems.get(name)
    ax = plt.subplots()[1]
    ax.set(**{"xlim": (-3, 3), "ylim": (-6, 6)} if name == "double-pendulum" else {"xlim": (-0.7, 0.9), "ylim": (-0.7, 0.7)})
    section_boundary(system, energy, (surface, 0.0), ax=ax)
    border = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    z = torch.zeros(len(border), 4, dtype=torch.float64)
    z[:, [1, 3]] = torch.from_numpy(border)
    if name == "double-pendulum":  # p_1 that makes the first velocity vanish: p_1 = p_2 cos(theta_1 - theta_2)
        z[:, 2] = z[:, 3] * z[:, 1].cos()
    assert len(border) > 50
    torch.testing.assert_close(system.vector_field(0.0, z)[:, 0], torch.zeros(len(border), dtype=torch.float64))
    torch.testing.assert_close(
        system.hamiltonian(z), torch.full((len(border),), energy, dtype=torch.float64), rtol=2e-3, atol=0
    )


def test_a_section_draws_itself_in_its_own_plane(henon_heiles):
    z0 = on_section(henon_heiles, 3, 0.1)
    section = poincare_section(henon_heiles, z0, 50, dt=0.1)
    ax = section.plot()
    np.testing.assert_allclose(dots(ax).get_offsets(), section.z[:, [1, 3]])


def test_a_flow_of_two_coordinates_has_no_plane_to_draw():
    pendulum = systems.get("pendulum")
    section = poincare_section(pendulum, torch.tensor([1.0, 0.0], dtype=torch.float64), 10, surface=("theta", 0.0))
    with pytest.raises(InputError, match="only the coordinate p"):
        section.plot()
