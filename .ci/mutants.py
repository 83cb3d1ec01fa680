"""Change the numerical core, one small mistake at a time, and list the changes that no test notices.

The work is mutmut's, which makes every mutant, runs the tests that reach it and stops at the first that fails. This script
gives it the mistakes that are made in formulas (a sign, an off-by-one, a dropped term, factor or function, a comparison that
takes or leaves its bound) in place of those that are made in text handling, and bounds the time of the whole.
The files and tests are chosen in ``[tool.mutmut]`` of pyproject.toml. mutmut reaches into functions only: constants of a
module or class (weights, tableaus) are held by tests of the equations that they solve.

    python .ci/mutants.py                              # all files
    python .ci/mutants.py 'physlearn.metrics.*'        # some of them, anew

The results lie in mutants/, so that a run resumes where the last one ended; delete the folder to begin afresh. The environment
variable CHILDREN tells how many mutants are tested at once, by default one per processor.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import libcst as cst
import mutmut.__main__ as mutmut
from mutmut.mutation import mutators
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.runners.harness import PytestRunner
from mutmut.state import state

MINUTES = 50
SURVIVED, UNTESTED = 0, 33  # as mutmut notes them
EXCHANGED = {"min": "max", "amin": "amax", "minimum": "maximum", "mean": "median", "any": "all", "cos": "sin", "sort": "flip"}
EXCHANGED |= {other: name for name, other in EXCHANGED.items()}
DROPPED = {"sqrt", "square", "abs", "exp", "log", "tanh", "cumsum", "round", "diff"}
IN_FORMULAS = (
    "operator_number",
    "operator_name",
    "operator_remove_unary_ops",
    "operator_augmented_assignment",
    "operator_keywords",
    "operator_swap_op",
    "operator_if_exp",
)


def enclosed(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses: ``(2).sqrt()``."""
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])


def without_a_part(node: cst.BinaryOperation) -> Iterator[cst.BaseExpression]:
    """``a + b`` and ``a b`` without ``b``, and without ``a`` where what is left is another formula."""
    if isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.Divide):
        yield enclosed(node.left)
        if isinstance(node.operator, cst.Add | cst.Multiply):
            yield enclosed(node.right)


def with_another_function(node: cst.Call) -> Iterator[cst.BaseExpression]:
    """``a`` for ``sqrt(a)`` and ``a.sqrt()``; the minimum for the maximum, the median for the mean."""
    function = node.func
    name = function.attr if isinstance(function, cst.Attribute) else function
    if not isinstance(name, cst.Name):
        return
    if name.value in DROPPED:
        if node.args:
            yield enclosed(node.args[0].value)
        elif isinstance(function, cst.Attribute):
            yield enclosed(function.value)
    if name.value in EXCHANGED:
        yield node.with_deep_changes(name, value=EXCHANGED[name.value])


def without_a_keyword(node: cst.Call) -> Iterator[cst.Call]:
    """``f(x)`` for ``f(x, ddof=1)``."""
    for i, argument in enumerate(node.args):
        if argument.keyword is not None and argument.keyword.value not in ("strict", "device"):
            yield node.with_changes(args=[*node.args[:i], *node.args[i + 1 :]])


def fastest_first(run_tests):
    """Run the tests of a mutant in the order of their length, so that most mutants end within milliseconds."""

    def run(self: PytestRunner, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        return run_tests(self, mutant_name=mutant_name, tests=sorted(tests, key=state().duration_by_test.__getitem__))

    return run


def survivors() -> Iterator[tuple[str, str, str]]:
    """Yield path, mutant and changed lines of each mutant that survived."""
    for notes in sorted(Path("mutants").rglob("*.meta")):
        for mutant, code in json.loads(notes.read_text())["exit_code_by_key"].items():
            if code in (SURVIVED, UNTESTED):
                diff = get_diff_for_mutant(mutant).splitlines()
                changed = [line for line in diff if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")]
                what = "no test reaches it" if code == UNTESTED else "\n".join(changed)
                yield str(notes.relative_to("mutants"))[: -len(".meta")], mutant, what


def main() -> None:
    """Run mutmut within the time allowed, then print the survivors."""
    os.chdir(Path(__file__).parent.parent)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the mutants run side by side already
    chosen = {operator.__name__ for _, operator in mutators.mutation_operators} & set(IN_FORMULAS)
    assert chosen == set(IN_FORMULAS), f"this mutmut has no {sorted(set(IN_FORMULAS) - chosen)}"
    mutators.mutation_operators[:] = [
        *((node, operator) for node, operator in mutators.mutation_operators if operator.__name__ in chosen),
        (cst.BinaryOperation, without_a_part),
        (cst.Call, with_another_function),
        (cst.Call, without_a_keyword),
    ]
    PytestRunner.run_tests = fastest_first(PytestRunner.run_tests)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(60 * MINUTES)
    mutmut._run(sys.argv[1:], int(os.environ.get("CHILDREN", os.cpu_count() or 1)))
    signal.alarm(0)
    found = list(survivors())
    for path, mutant, what in found:
        print(f"\n{path}  ({mutant.rpartition('.')[2]})\n{what}")
    print(f"\n{len(found)} mutants survived; a test of what they change, or a comment why it cannot matter, is missing")


if __name__ == "__main__":
    main()
