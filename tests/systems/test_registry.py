"""Systems by name, and systems of other distributions."""

import textwrap
from dataclasses import dataclass
from functools import partial

import pytest

import systems
from systems import InputError, UnknownNameError
from systems.generic_registry import same
from systems.oscillators import HarmonicOscillator, Pendulum
from systems.registry import SYSTEMS
from systems.testing import check_system

BUILT_IN = ["harmonic-oscillator", "henon-heiles", "pendulum", "tao-oscillator", "van-der-pol"]

THIRD_PARTY = """
    from dataclasses import dataclass
    from typing import ClassVar

    from systems import SeparableSystem
    from systems.hamiltonian import HenonHeiles
    from systems.maps import LogisticMap
    from systems.sampling import annulus


    @dataclass(frozen=True)
    class Quartic(SeparableSystem):
        strength: float = 1.0
        coordinates: ClassVar = ("q", "p")

        def potential(self, q):
            return self.strength * q.pow(4).sum(-1) / 4

        def sample(self, n, *, seed=0):
            return annulus(n, 0.2, 1.0, seed)


    @dataclass(frozen=True)
    class Galaxy(HenonHeiles):
        pass


    @dataclass(frozen=True)
    class Population(LogisticMap):
        pass
"""


@pytest.fixture
def own_registry(monkeypatch):
    """What a test registers is forgotten at its end."""
    monkeypatch.setattr(SYSTEMS, "_registered", dict(SYSTEMS._registered))


@pytest.fixture
def other_distribution(tmp_path, monkeypatch):
    """A distribution ``quartic`` of someone else, as an installer leaves it."""
    (tmp_path / "quartic_systems.py").write_text(textwrap.dedent(THIRD_PARTY))
    metadata = tmp_path / "quartic-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: quartic\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[physlearn.systems]\nquartic = quartic_systems:Quartic\ngalaxy = quartic_systems:Galaxy\n"
        "[physlearn.maps]\npopulation = quartic_systems:Population\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_all_built_in_systems_are_listed_in_order():
    names = systems.names()
    assert set(BUILT_IN) <= set(names)
    assert names == sorted(names)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_system_knows_the_name_it_is_got_by(name):
    assert systems.get(name).name == name


def test_parameters_reach_the_system_and_the_others_keep_their_defaults():
    assert systems.get("van-der-pol", mu=1.0).mu == 1.0
    assert systems.get("van-der-pol").mu == 2.7


def test_an_unknown_name_is_a_key_error_that_lists_the_names():
    with pytest.raises(KeyError) as caught:
        systems.get("henon-hiles")
    assert "'henon-hiles'" in str(caught.value)
    assert all(name in str(caught.value) for name in BUILT_IN)


@pytest.mark.parametrize("name", [3, None, ["pendulum"]])
def test_what_is_no_text_is_no_name(name):
    with pytest.raises(UnknownNameError, match="no system"):
        systems.get(name)


def test_a_file_is_not_a_name_and_the_error_tells_how_a_system_of_ones_own_is_found():
    with pytest.raises(KeyError, match=r"./four_hills.py is a file, not the name of a system: install the distribution"):
        systems.get("./four_hills.py")


def test_an_unknown_name_is_wrong_input_too():
    with pytest.raises(InputError):
        systems.find("henon-hiles")
    assert issubclass(UnknownNameError, KeyError)


@pytest.mark.parametrize(
    ("name", "message"),
    [("van-der-pol", "van-der-pol has no parameter 'nu'; it has mu"), ("two-body", "no parameter 'nu'; it has none")],
)
def test_an_unknown_parameter_is_refused_with_those_there_are(name, message):
    with pytest.raises(InputError, match=message):
        systems.get(name, nu=1.0)


def test_a_registered_class_is_got_by_its_name(own_registry):
    @systems.register("stiff-spring")
    @dataclass(frozen=True)
    class StiffSpring(HarmonicOscillator):
        frequency: float = 10.0

    assert isinstance(systems.get("stiff-spring"), StiffSpring)
    assert "stiff-spring" in systems.names()


def test_a_taken_name_is_not_given_away(own_registry):
    with pytest.raises(InputError, match="'pendulum' is taken by Pendulum"):
        systems.register("pendulum")(HarmonicOscillator)


def test_a_taken_name_is_not_given_to_another_class_of_the_same_class_name(own_registry):
    namesake = dataclass(frozen=True)(type("Pendulum", (HarmonicOscillator,), {"__module__": "somewhere.else"}))
    with pytest.raises(InputError, match="taken"):
        systems.register("pendulum")(namesake)


def test_a_class_may_be_registered_again_when_its_module_is_loaded_again(own_registry):
    systems.register("pendulum")(Pendulum)
    assert systems.find("pendulum") is Pendulum


@pytest.mark.usefixtures("other_distribution")
def test_a_system_of_another_distribution_is_listed():
    assert "quartic" in systems.names()


@pytest.mark.usefixtures("other_distribution")
def test_a_system_of_another_distribution_is_got_with_parameters():
    assert systems.get("quartic", strength=2.0).parameters == {"strength": 2.0}


@pytest.mark.usefixtures("other_distribution")
def test_a_system_of_another_distribution_passes_the_check_without_being_registered():
    check_system(systems.get("quartic"))


@pytest.mark.usefixtures("other_distribution")
def test_a_system_derived_from_a_built_in_one_bears_its_own_name():
    assert systems.get("galaxy").name == "galaxy"


@pytest.mark.usefixtures("other_distribution")
def test_a_map_of_another_distribution_has_its_own_name_too():
    assert systems.maps.get("population", r=3.5).name == "population"
    assert systems.maps.get("logistic").name == "logistic"
    assert systems.get("henon-heiles").name == "henon-heiles"


def test_a_distribution_that_is_gone_is_not_listed():
    assert "quartic" not in systems.names()


def test_things_without_a_name_of_their_own_are_the_same_only_if_they_are_one():
    one, other = partial(max, 1), partial(max, 2)
    assert same(one, one)
    assert not same(one, other)
    assert not same(max, min)
