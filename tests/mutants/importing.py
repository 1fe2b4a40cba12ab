# SPDX-License-Identifier: Apache-2.0

"""Run tests in a child that imports the package with another module in it.

The child has imported all but the package itself; no file is changed. It
takes longer than replacing functions, but every line may be another one.
"""

from collections.abc import Sequence
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
from pathlib import Path
import sys
from types import CodeType
from types import ModuleType

import pytest

from tests.mutants.collected import QUIET
from tests.mutants.collected import use_profile
from tests.mutants.forking import run_in_child

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


def import_others() -> None:
    """Import once what every child needs."""
    for name in _OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # It has no tests; pytest imports what it needs itself.
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, str(Path(__file__).parent)])


def run_with_module(
    path: Path, source: str, tests: Sequence[str], limit: float
) -> int:
    """Run tests, in this order, until one fails.

    :param path: the module, below the current folder
    :param source: the text that it is imported from
    :param tests: node IDs
    :param limit: CPU seconds
    :returns: pytest's exit code; negative, if the child was ended
    """

    def work() -> int:
        use_profile()
        parts = path.relative_to(Path.cwd()).with_suffix('').parts
        sys.meta_path.insert(0, _Finder('.'.join(parts), path, source))
        # Most mutants end in the likeliest file.
        first, *others = dict.fromkeys(
            test.partition('::')[0] for test in tests
        )
        calls = [[first], *([others] if others else [])]
        for words in calls:
            code = pytest.main(
                [*QUIET, '-x', '--hypothesis-profile=mutants', *words],
                plugins=[_Chosen(tests)],
            )
            if code:
                return int(code)
        return 0

    return run_in_child(work, limit)


class _Chosen:
    """Run only some tests, in their order; a plugin for pytest."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: n for n, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )


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
