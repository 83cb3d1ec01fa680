"""Training of many networks at once, in compiled loops on the CPU."""

from physlearn.activations.compiled import TABLE
from physlearn.training.fused.engine import Functions, FusedProblem, Kind, Parameters, Rule, State, advance, evaluate

__all__ = ["TABLE", "Functions", "FusedProblem", "Kind", "Parameters", "Rule", "State", "advance", "evaluate"]
