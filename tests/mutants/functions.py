# SPDX-License-Identifier: Apache-2.0

"""Replace the functions of a module that is imported."""

from collections.abc import Iterator
import gc
import inspect
from pathlib import Path
from types import CodeType
from types import FunctionType
from typing import Any


def replace_functions(path: Path, source: str) -> bool:
    """Give functions of a module the code of another text of it.

    :param path: the file of the module
    :returns: whether that is all that the texts differ in; else, the module
        has to be imported from its other text
    """
    changes = list(
        _changes(
            compile(path.read_bytes(), str(path), 'exec', dont_inherit=True),
            compile(source, str(path), 'exec', dont_inherit=True),
        )
    )
    live: dict[tuple[str, int], list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = each.__code__
            if code.co_filename == str(path):
                live.setdefault(_key(code), []).append(each)
    if not changes or not all(
        new is not None and live.get(_key(old)) for old, new in changes
    ):
        return False
    for old, new in changes:
        assert new is not None
        for function in live[_key(old)]:
            if len(new.co_freevars) != len(old.co_freevars):
                return False
            function.__code__ = new
    return True


def _changes(
    old: CodeType, new: CodeType
) -> Iterator[tuple[CodeType, CodeType | None]]:
    """Yield functions that differ, within modules and classes.

    With None, it is not a function that differs.
    """
    if _own(old) != _own(new):
        yield old, None
        return
    for inner, changed in zip(_within(old), _within(new), strict=True):
        if not inner.co_flags & inspect.CO_OPTIMIZED:
            yield from _changes(inner, changed)
        elif _differ(inner, changed):
            yield inner, changed


def _differ(old: CodeType, new: CodeType) -> bool:
    return _own(old) != _own(new) or any(
        _differ(*pair) for pair in zip(_within(old), _within(new), strict=True)
    )


def _own(code: CodeType) -> tuple[Any, ...]:
    """Return what a code object does, without those within and lines."""
    return (
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
        code.co_exceptiontable,
        [
            each.co_name if isinstance(each, CodeType) else repr(each)
            for each in code.co_consts
        ],
    )


def _within(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno
