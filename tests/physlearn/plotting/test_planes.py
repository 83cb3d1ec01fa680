"""Phase portraits and configuration orbits: what is drawn is the orbit."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.contour import ContourSet
from numpy.testing import assert_allclose

import systems
from physlearn.plotting import colored_line, configuration_orbit, phase_portrait
from systems import InputError, Orbit


def lines(ax):
    return [artist for artist in ax.collections if isinstance(artist, LineCollection) and not isinstance(artist, ContourSet)]


def corners(line):
    """The points that a line goes through."""
    segments = np.array(line.get_segments())
    return np.concatenate([segments[:, 0], segments[-1:, 1]])


def draw(ax):
    """Warnings of the drawing itself would be errors here."""
    ax.figure.canvas.draw()


@pytest.mark.parametrize("style", [{}, {"cmap": "rainbow"}])
def test_a_line_goes_through_all_points_and_from_violet_to_orange_or_red(style):
    t = np.linspace(0, 1, 50)
    ax = plt.subplots()[1]
    (line,) = colored_line(np.cos(t), np.sin(t), t, ax=ax, **style).collections
    assert_allclose(corners(line), np.stack([np.cos(t), np.sin(t)], -1))
    draw(ax)
    first, last = line.get_colors()[[0, -1]]
    assert first[2] > 0.5 > first[0] > first[1]  # violet
    assert last[0] > 0.9 > 0.7 > last[1] >= last[2]  # orange or red


def test_time_has_its_colour_whichever_way_the_orbit_is_stored():
    t = np.linspace(0, 1, 50)
    ax = plt.subplots()[1]
    forward, backward = (colored_line(s, s**2, s, ax=ax).collections[-1] for s in (t, t[::-1]))
    draw(ax)
    assert_allclose(forward.get_colors(), backward.get_colors()[::-1], atol=1e-12)


def test_states_that_are_not_finite_are_left_out():
    t = np.linspace(0, 1, 50)
    x = t.copy()
    x[20], x[45:] = np.nan, np.inf
    ax = plt.subplots()[1]
    (line,) = colored_line(x, t, t, ax=ax).collections
    assert len(line.get_segments()) == 49 - 2 - 5
    draw(ax)


def test_a_phase_portrait_shows_position_and_momentum_of_every_orbit(galaxy):
    ax = phase_portrait(galaxy)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$p_{x}$")
    for line, z in zip(lines(ax), galaxy.z, strict=True):
        assert_allclose(corners(line), z[:, [0, 2]])
    draw(ax)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < galaxy.z[..., 0].min() < galaxy.z[..., 0].max() < right
    assert low < galaxy.z[..., 2].min() < galaxy.z[..., 2].max() < high


@pytest.mark.parametrize("coordinates", [("y", "p_y"), (1, 3), (-3, -1)])
def test_coordinates_go_by_name_or_index(galaxy, coordinates):
    ax = phase_portrait(galaxy[0], coordinates)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$y$", "$p_{y}$")
    assert_allclose(corners(lines(ax)[0]), galaxy.z[0][:, [1, 3]])


@pytest.mark.parametrize("wrong", ["z", 4, -5, 1.0])
def test_other_coordinates_are_refused_with_the_names_there_are(galaxy, wrong):
    with pytest.raises(InputError, match="x, y, p_x, p_y"):
        phase_portrait(galaxy, (0, wrong))


def test_a_picture_goes_where_it_is_told(swing):
    figure, (_, right) = plt.subplots(1, 2)
    assert phase_portrait(swing, ax=right, label="a swing", linewidth=3) is right
    assert plt.get_fignums() == [figure.number]
    assert right.get_legend_handles_labels()[1] == ["a swing"]
    assert_allclose(lines(right)[0].get_linewidth(), 3)


def test_a_label_is_given_once_for_a_batch(galaxy):
    assert phase_portrait(galaxy, label="stars").get_legend_handles_labels()[1] == ["stars"]


def test_a_second_orbit_widens_the_picture_and_does_not_narrow_it(swing):
    ax = phase_portrait(swing)
    wide = Orbit(swing.t, 3 * swing.z, coordinates=swing.coordinates)
    for orbit in (wide, swing):
        phase_portrait(orbit, ax=ax)
        assert ax.get_xlim()[1] > 3
    axes = plt.subplots(1, 2, sharex=True, sharey=True)[1]
    for ax, orbit in zip(axes, (wide, swing), strict=True):
        phase_portrait(orbit, ax=ax)
    assert axes[0].get_xlim()[1] > 3


def test_a_diverging_orbit_does_not_shrink_the_rest(swing, diverging):
    ax = phase_portrait(diverging)
    draw(ax)
    assert ax.get_xlim()[1] < 20
    both = Orbit.stack([swing, diverging])
    draw(phase_portrait(both))


def test_an_orbit_that_is_nowhere_finite_or_at_rest_is_an_empty_picture(swing):
    for value in (torch.nan, 0.0):
        draw(phase_portrait(Orbit(swing.t, swing.z * value, coordinates=swing.coordinates)))


def test_a_configuration_orbit_is_the_path_in_space_in_its_own_proportions(galaxy):
    ax = configuration_orbit(galaxy[0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    assert ax.get_aspect() == 1
    (line,) = lines(ax)
    assert_allclose(corners(line), galaxy.z[0][:, :2])
    draw(ax)


def test_level_lines_lie_on_the_potential_and_the_escape_line_on_the_triangle(galaxy):
    system = systems.get("henon-heiles")
    ax = configuration_orbit(galaxy, system=system)
    draw(ax)
    drawn = [artist for artist in ax.collections if isinstance(artist, ContourSet)]
    levels = np.concatenate([artist.levels for artist in drawn])
    assert_allclose(levels[-2:], [1 / 12, 1 / 6])  # where the orbits come to rest, and where they would escape
    for artist in drawn:
        for level, path in zip(artist.levels, artist.get_paths(), strict=True):
            potential = system.potential(torch.from_numpy(path.vertices))
            assert_allclose(potential, level, atol=3e-4)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert left < -(3**0.5) / 2 < 3**0.5 / 2 < right  # the whole triangle is seen
    assert low < -0.5 < 1 < high


def test_a_well_without_walls_and_an_orbit_that_left_it_are_drawn_too(galaxy):
    z = galaxy.z.clone()
    z[:, 300:] *= torch.logspace(0, 300, 201, dtype=torch.float64)[:, None]
    z[:, 450:] = torch.nan
    escaped = Orbit(galaxy.t, z, coordinates=galaxy.coordinates)
    ax = configuration_orbit(escaped, system=systems.get("henon-heiles"))
    draw(ax)
    assert ax.get_xlim()[1] < 20


def test_systems_without_a_potential_and_rows_of_axes_will_do(galaxy):
    row = plt.subplots(1, 2, sharex=True, sharey=True)[1]
    configuration_orbit(galaxy[0], system=systems.get("tao-oscillator"), ax=row[0])
    configuration_orbit(galaxy[1], system=systems.get("henon-heiles"), ax=row[1])
    draw(row[0])


def test_one_degree_of_freedom_has_no_configuration_orbit(swing):
    with pytest.raises(InputError, match="phase_portrait"):
        configuration_orbit(swing)
