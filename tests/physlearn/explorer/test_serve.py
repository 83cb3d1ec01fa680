import socket
import sys

import pytest

from physlearn.explorer import serve
from systems import InputError


def test_without_panel_one_sentence_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "panel" or name == "physlearn.explorer.page"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "panel", None)
    with pytest.raises(InputError, match=r"pip install 'physlearn\[explore\]'"):
        serve(show=False)


def test_a_port_that_is_taken_is_told_of():
    pytest.importorskip("panel")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=f"port {other.getsockname()[1]} cannot be had"):
            serve(port=other.getsockname()[1], show=False)


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(port):
    pytest.importorskip("panel")
    with pytest.raises(InputError, match="a port is a number"):
        serve(port=port, show=False)


def test_a_system_that_cannot_be_explored_is_refused_in_one_line(refused):
    assert "lorenz cannot be explored" in refused("explore", "lorenz")
    assert "pendulum" in refused("explore", "pendulumm")
