"""Many networks of one hidden layer trained at once on the CPU."""

from physlearn.activations.compiled import TABLE
from physlearn.training.fused.engine import Functions, FusedProblem, Kind, Parameters, Rule, State, advance, evaluate

__all__ = ["TABLE", "Functions", "FusedProblem", "Kind", "Parameters", "Rule", "State", "advance", "evaluate"]
