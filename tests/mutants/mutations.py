# SPDX-License-Identifier: Apache-2.0

"""The mutants of a module: mutmut's operators, applied one at a time."""

from collections import Counter
from collections.abc import Iterator
import dataclasses
import difflib
from pathlib import Path
import random

import libcst as cst
from libcst.metadata import MetadataWrapper
from libcst.metadata import PositionProvider
from mutmut.mutation.file_mutation import deep_replace
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.file_mutation import OuterFunctionProvider
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

#: Calls that do nothing at run time, or hold text for people only.
_NO_BEHAVIOUR = {'_', 'cast'}

#: What aliases of types are made of.
_GENERIC = {'Callable', 'tuple'}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A module with one change.

    :param change: names it: function, line before, line after; of several
        that are alike, a number, too
    :param line: where the change is
    :param function: first and last line of the function or method around it
    :param source: the whole module
    """

    change: str
    line: int
    function: tuple[int, int] | None
    source: str


class _Visitor(MutationVisitor):
    """Enter decorated functions, too; leave text and types alone."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.FunctionDef():
                return False
            case cst.Decorator() | cst.If(test=cst.Name('TYPE_CHECKING')):
                return True
            case cst.Call(func=cst.Name(name)) if name in _NO_BEHAVIOUR:
                return True
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name('__all__'))]
            ):
                return True
            case cst.Assign(value=cst.Call(func=cst.Name('TypeVar'))):
                return True
            case cst.AnnAssign(
                annotation=cst.Annotation(cst.Name('TypeAlias'))
            ):
                return True
            case cst.Assign(value=cst.Subscript(cst.Name(name))) if (
                name in _GENERIC
            ):
                return True
            case cst.SimpleString(value) if ' ' in value:
                return True
        return bool(super()._skip_node_and_children(node))


def mutants(path: Path, sample: int | None = None) -> Iterator[Mutant]:
    """Make the mutants of a module, or a sample.

    :param sample: at most so many, always the same ones
    """
    text = path.read_text('utf-8')
    wrapper = MetadataWrapper(cst.parse_module(text))
    nothing = IgnoredCode(set(), set(), set())
    visitor = _Visitor(mutation_operators, nothing)
    wrapper.visit(visitor)
    found = visitor.mutations
    positions = wrapper.resolve(PositionProvider)
    functions = wrapper.resolve(OuterFunctionProvider)
    chosen = list(range(len(found)))
    if sample is not None and sample < len(chosen):
        chosen = sorted(random.Random(path.name).sample(chosen, sample))

    seen: Counter[str] = Counter()
    for index in chosen:
        mutation = found[index]
        node = mutation.original_node
        module = deep_replace(wrapper.module, node, mutation.mutated_node)
        assert isinstance(module, cst.Module)
        function = functions.get(node)
        span = name = None
        if isinstance(function, cst.FunctionDef):
            name = function.name.value
            whole = positions[function.body]
            span = (whole.start.line, whole.end.line)
        change = f'{name or "<module>"}: {_change(text, module.code)}'
        seen[change] += 1
        if seen[change] > 1:
            change = f'{change} #{seen[change]}'
        line, _ = _difference(text, module.code)
        yield Mutant(change, line, span, module.code)


def _difference(before: str, after: str) -> tuple[int, list[str]]:
    """Return the first line that differs, and the lines that do."""
    lines = list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), lineterm='', n=0
        )
    )[2:]
    line = int(lines[0].split()[1].lstrip('-').split(',')[0])
    return line, [each for each in lines if not each.startswith('@@')]


def _change(before: str, after: str) -> str:
    """Return one line that shows a change."""
    lines = _difference(before, after)[1]
    old, new = (
        ' '.join(each[1:].strip() for each in lines if each[0] == sign)
        for sign in '-+'
    )
    return f'{old} => {new}'
