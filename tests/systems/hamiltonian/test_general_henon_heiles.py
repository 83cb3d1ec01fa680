"""Henon-Heiles with general coefficients against its integrable cases and its special one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import systems
from physlearn.chaos import is_chaotic
from systems import InputError
from systems.testing import check_system

DOUBLE = torch.float64


def general(**coefficients):
    return systems.get("general-henon-heiles", **coefficients)


def sawada_kotera(z, a, d):
    x, y, p_x, p_y = z.unbind(-1)
    return p_x * p_y + a * x * y + d * (x**3 / 3 + x * y**2)


def korteweg_de_vries(z, a, b):
    """For d = 1."""
    x, y, p_x, p_y = z.unbind(-1)
    return x**4 + 4 * x**2 * y**2 - 4 * p_x * (p_x * y - p_y * x) + 4 * a * x**2 * y + (4 * a - b) * (p_x**2 + a * x**2)


def kaup_kupershmidt(z, a):
    """For d = 1."""
    x, y, p_x, p_y = z.unbind(-1)
    return (
        3 * p_x**4
        + 6 * (a + 2 * y) * x**2 * p_x**2
        - 4 * x**3 * p_x * p_y
        - 4 * x**4 * (a * y + y**2)
        + 3 * a**2 * x**4
        - 2 / 3 * x**6
    )


INTEGRABLE = {
    "Sawada-Kotera": (general(a=1.3, b=1.3, c=-0.7, d=0.7), lambda z: sawada_kotera(z, 1.3, 0.7)),
    "Korteweg-de Vries": (general(a=1.2, b=0.8, c=-6.0, d=1.0), lambda z: korteweg_de_vries(z, 1.2, 0.8)),
    "Kaup-Kupershmidt": (general(a=0.5, b=8.0, c=-16.0, d=1.0), lambda z: kaup_kupershmidt(z, 0.5)),
}


@pytest.mark.parametrize("case", INTEGRABLE)
def test_the_second_integral_of_the_integrable_cases_is_conserved(case):
    system, integral = INTEGRABLE[case]
    z = system.orbit(system.sample(6, energy=0.9 * system.escape_energy), torch.linspace(0, 30, 16, dtype=DOUBLE)).z
    values = integral(z)
    spread = (values - values[:, :1]).abs().max() / values.abs().max()
    assert spread < 1e-8
    other = general(a=system.a, b=system.b, c=0.5 * system.c, d=system.d)
    elsewhere = integral(other.orbit(z[:, 0], torch.linspace(0, 10, 6, dtype=DOUBLE)).z)
    assert (elsewhere - elsewhere[:, :1]).abs().max() / values.abs().max() > 1e-3


def test_equal_coefficients_are_the_special_system(henon_heiles):
    z = henon_heiles.sample(10, seed=2)
    same = general(c=1.0, d=1.0)
    torch.testing.assert_close(same.vector_field(0.0, z), henon_heiles.vector_field(0.0, z))
    assert same.escape_energy == pytest.approx(henon_heiles.escape_energy)
    torch.testing.assert_close(same.sample(50, seed=3, energy=0.15), henon_heiles.sample(50, seed=3, energy=0.15))


@given(
    a=st.floats(0.3, 3),
    b=st.floats(0.3, 3),
    c=st.floats(-3, 3).filter(lambda c: abs(c) > 0.05),
    d=st.floats(-3, 3).filter(lambda d: abs(d) > 0.05),
)
def test_the_escape_energy_is_the_lowest_pass_on_all_rays(a, b, c, d):
    """On a ray V = k r^2 / 2 + m r^3, with a maximum k^3 / 54 m^2 where m < 0."""
    system = general(a=a, b=b, c=c, d=d)
    angle = torch.linspace(0, 2 * math.pi, 20001, dtype=DOUBLE)
    x, y = angle.cos(), angle.sin()
    k, m = a * x**2 + b * y**2, d * x**2 * y - c * y**3 / 3
    passes = (k**3 / (54 * m**2))[m < 0]
    assert system.escape_energy == pytest.approx(float(passes.min()), rel=1e-5)


@pytest.mark.parametrize(
    "coefficients", [{"c": 2.0, "d": -0.5}, {"a": 0.4, "b": 3.0, "c": 1.0}, {"c": 0.0}, {"c": 0.0, "d": 0.0}]
)
def test_other_coefficients_pass_the_check(coefficients):
    check_system(general(**coefficients))


@pytest.mark.slow
def test_samples_do_not_lie_beyond_the_saddles():
    system = general(a=1.0, b=2.0, c=1.5, d=0.5)
    z = system.sample(200, energy=0.95 * system.escape_energy)
    orbit = system.orbit(z, torch.linspace(0, 60, 31, dtype=DOUBLE))
    assert orbit.z.abs().max() < 5
    assert system.inside(orbit.z[..., :2].reshape(-1, 2)).all()


@pytest.mark.slow
def test_no_orbit_of_an_integrable_case_is_chaotic_where_those_of_the_special_system_nearly_all_are(henon_heiles):
    system = INTEGRABLE["Sawada-Kotera"][0]
    assert not is_chaotic(system, system.sample(30, energy=0.99 * system.escape_energy), time=1000).any()
    assert is_chaotic(henon_heiles, henon_heiles.sample(30, energy=0.165), time=1000).sum() > 25


@pytest.mark.parametrize("wrong", [{"a": 0.0}, {"b": -1.0}, {"c": math.nan}, {"d": math.inf}])
def test_what_makes_no_well_is_refused(wrong):
    with pytest.raises(InputError, match=r"finite|positive"):
        general(**wrong)
