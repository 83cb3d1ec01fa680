import numba
import pytest
import torch

from physlearn.threads import SMALL, suited_to


@pytest.fixture
def two_threads():
    """Where there are two."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(2)
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(before[0])
    numba.set_num_threads(before[1])


def test_small_work_has_one_thread_in_torch_and_in_compiled_loops(two_threads):
    """The loops of tables were forgotten once, and waited for each other: a comparison took thirty times as long."""
    with suited_to(SMALL):
        assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
    assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads


def test_large_work_has_as_many_threads_as_before(two_threads):
    with suited_to(SMALL + 1):
        assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads


def test_threads_come_back_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), suited_to(1):
        raise ZeroDivisionError
    assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads
