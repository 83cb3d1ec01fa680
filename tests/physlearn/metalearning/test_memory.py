"""What the unrolled gradient keeps for its backward passes: bytes of saved tensors, counted as they come and go."""

from pathlib import Path

import pytest
import torch

from physlearn.metalearning import gradient


class Kept:
    """Counts the bytes of the tensors that graphs hold, by their storages."""

    def __init__(self):
        self.counts, self.now, self.most = {}, 0, 0

    def pack(self, tensor):
        return _Held(self, tensor.detach() if tensor.is_leaf else tensor)

    @staticmethod
    def unpack(held):
        return held.tensor


class _Held:
    def __init__(self, kept, tensor):
        self.kept, self.tensor = kept, tensor
        storage = tensor.untyped_storage()
        self.key, self.size = storage.data_ptr(), storage.nbytes()
        if not kept.counts.get(self.key):
            kept.now += self.size
            kept.most = max(kept.most, kept.now)
        kept.counts[self.key] = kept.counts.get(self.key, 0) + 1

    def __del__(self):
        self.kept.counts[self.key] -= 1
        if not self.kept.counts[self.key]:
            self.kept.now -= self.size


def most_kept(problem, segments=None):
    kept = Kept()
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, kept.unpack):
        gradient.unrolled(problem, segments)
    return kept.most


@pytest.mark.parametrize("name", ["van-der-pol", "henon-heiles-hnn"])
def test_memory_grows_with_the_square_root_of_the_inner_steps(name, case):
    few, many = (most_kept(case(name, steps=steps, networks=1).problem) for steps in (16, 144))
    assert many <= 3 * few * 1.15  # sqrt(144 / 16), and what does not grow
    assert many < most_kept(case(name, steps=64, networks=1).problem, segments=1)


def test_keeping_everything_grows_with_the_inner_steps(case):
    """That the count does see what is kept."""
    few, many = (most_kept(case(steps=steps, networks=1).problem, segments=1) for steps in (16, 64))
    assert many > 3.5 * few


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the memory of a process in this way")
def test_the_memory_of_the_whole_process_grows_with_the_square_root_of_the_inner_steps(run_apart):
    program = """
        import torch
        from pathlib import Path
        from physlearn import tasks
        from physlearn.metalearning import MetaLearning
        from physlearn.metalearning.outer import OuterLoop

        torch.set_num_threads(1)
        task = tasks.get("van-der-pol", orbits=20)
        def most(steps):
            OuterLoop(task, MetaLearning(inner_steps=steps, networks=4, inner_learning_rate=1e-3), [0]).step()
            # not by getrusage, whose maximum includes that of the process that started this one
            told = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
            return int(told["VmHWM"].split()[0])
        print(most(1), most(25), most(400))
    """
    nothing, few, many = (int(word) for word in run_apart(program).split())
    assert many - nothing < 4 * 2 * (few - nothing)  # twice, for what the allocator keeps; without segments it is 16 times
