from math import prod

import torch

from physlearn.models.monomials import Monomials, count


def test_monomials_are_all_products_of_powers_up_to_the_degree_and_lower_degrees_come_first():
    x = torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64)
    powers = [(a, b, c) for a in range(5) for b in range(5) for c in range(5) if a + b + c <= 4]
    expected = sorted(prod(float(v) ** p for v, p in zip(x, power, strict=True)) for power in powers)
    found = Monomials(3, 4)(x)
    assert sorted(found.tolist()) == expected
    assert len(found) == count(3, 4) == len(powers)
    assert torch.equal(Monomials(3, 2)(x), found[: count(3, 2)])
