# SPDX-License-Identifier: Apache-2.0

"""Run tests in a child that has imported all but the package itself.

The package is imported in the child, for each mutant anew, and one of its
modules may be another one there; no file is changed.
"""

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import multiprocessing
import os
from pathlib import Path
import resource
import signal
import sys
from types import CodeType
from types import ModuleType

import pytest

#: What the package and its tests import of others.
_OTHERS = (
    'cliff.formatters.table',
    'cliff.lister',
    'cliff.show',
    'hypothesis.stateful',
    'keystoneauth1.adapter',
    'keystoneauth1.fixture',
    'keystoneauth1.identity.v3',
    'keystoneauth1.loading',
    'keystoneauth1.session',
    'msgspec.json',
    'openstack',
    'openstack.config',
    'osc_lib.command.command',
    'osc_lib.test.utils',
    'requests_mock',
    'rich.progress',
    'yaml',
)

#: Bytes that a child may hold: a mutant may well gather without end.
_MEMORY = 4 << 30

#: Each child leaves what pytest knows of the last run alone.
_QUIET = ('-q', '-p', 'no:cacheprovider')

_FORK = multiprocessing.get_context('fork')


def import_others() -> None:
    """Import once what every child needs."""
    for name in _OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # It has no tests; pytest imports what it needs itself.
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*_QUIET, str(Path(__file__).parent)])


class _Loader(importlib.machinery.SourceFileLoader):
    """Load a module from a text in place of its file."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        super().__init__(name, str(path))
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, 'exec', dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Find one module of the package; all others are found as usual."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._loader = _Loader(name, path, source)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._loader.name:
            return None
        return importlib.util.spec_from_loader(fullname, self._loader)


def replace_module(name: str, path: Path, source: str) -> None:
    """Have this process import a module from a text."""
    sys.meta_path.insert(0, _Finder(name, path, source))


def run_tests(
    calls: Sequence[Sequence[str]],
    prepare: Callable[[], Sequence[object]],
    limit: float,
) -> int:
    """Run pytest in a child, until a test fails.

    :param calls: the words of each call of pytest
    :param prepare: run in the child; returns plugins of pytest
    :param limit: CPU seconds; the child may take four times as long
    :returns: pytest's exit code; negative, if the child was ended
    """
    child = _FORK.Process(target=_run, args=(calls, prepare, limit))
    child.start()
    assert child.pid is not None
    child.join(30 + 4 * limit)
    # What the tests started goes with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def _run(
    calls: Sequence[Sequence[str]],
    prepare: Callable[[], Sequence[object]],
    limit: float,
) -> None:
    os.setsid()
    seconds = int(limit) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    code = 1
    try:
        plugins = [*prepare()]
        for words in calls:
            code = int(pytest.main([*_QUIET, *words], plugins=plugins))
            if code:
                break
    finally:
        # Threads that a mutant has left do not keep the child.
        os._exit(code)
