# SPDX-License-Identifier: Apache-2.0

"""Which unit tests run which lines of the package, and what they take.

It is found by running each file of tests once, and kept in a folder until one
of them or the package changes.
"""

from collections.abc import Iterator
import dataclasses
import hashlib
import json
from pathlib import Path
import sys
import time
from typing import Any

import pytest

from tests.mutants.forking import run_tests
from tests.mutants.mutations import Mutant

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'osc_compute_images'
TESTS = ROOT / 'tests' / 'unit'

#: Tests of other things than the package, which take their time.
_OTHERS = {'test_benchmarks', 'test_faults_table', 'test_typing'}

#: CPU seconds of a slow test.
_SLOW = 0.5

#: CPU seconds, for one file of tests.
_LIMIT = 300


@dataclasses.dataclass(frozen=True)
class Test:
    """A test: where, how long (CPU seconds), which lines of each module."""

    file: str
    name: str
    seconds: float
    lines: dict[str, set[int]]


class _Recorder:
    """Tell which lines each test runs; a plugin for pytest."""

    def __init__(self, path: Path) -> None:
        import coverage

        self._path = path
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._coverage = coverage.Coverage(
            data_file=None, source=[str(PACKAGE)], config_file=False
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what a test takes."""
        self._coverage.switch_context(item.nodeid)
        began = time.process_time()
        result = yield
        self._seconds[item.nodeid] = time.process_time() - began
        self._coverage.switch_context('')
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which test is not passed."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write all of it."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = {}
        for file in data.measured_files():
            module = str(Path(file).relative_to(PACKAGE))
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    of = lines.setdefault(context, {})
                    of.setdefault(module, []).append(line)
        self._path.write_text(
            json.dumps(
                {
                    'at import': lines.get('', {}),
                    'tests': [
                        (name, seconds, lines.get(name, {}))
                        for name, seconds in self._seconds.items()
                        if name not in self._failed
                    ],
                }
            )
        )


def _record(path: Path, kept: Path) -> None:
    run_tests([[str(path)]], lambda: [_Recorder(kept)], _LIMIT)
    if not kept.exists():
        sys.exit(f'{path.name} was not run to its end')


def digest(*paths: Path) -> str:
    """Return what changes when one of some files does."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


class Covering:
    """What the tests run.

    :param folder: where it is kept
    """

    def __init__(self, folder: Path) -> None:
        self._tests: list[Test] = []
        self._at_import: dict[str, set[int]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        common = [*PACKAGE.rglob('*.py'), TESTS / 'conftest.py']
        for path in sorted(TESTS.glob('test_*.py')):
            if path.stem in _OTHERS:
                continue
            kept = folder / f'{path.stem}-{digest(path, *common)}.json'
            if not kept.exists():
                for old in folder.glob(f'{path.stem}-*.json'):
                    old.unlink()
                print(f'which lines does {path.name} run?', flush=True)
                _record(path, kept)
            self._add(str(path), json.loads(kept.read_text()))

    def _add(self, file: str, kept: dict[str, Any]) -> None:
        for module, lines in kept['at import'].items():
            self._at_import.setdefault(module, set()).update(lines)
        for name, seconds, lines in kept['tests']:
            of = {module: set(numbers) for module, numbers in lines.items()}
            self._tests.append(Test(file, name, seconds, of))

    def tests(self, module: str, mutant: Mutant) -> list[Test]:
        """Return the tests that may notice a mutant, the likeliest first.

        These are the tests that run its line; else, its function, as a line
        within a statement is not known; else, its module. Slow tests come
        last. Files come first that run most lines of the module, and in each,
        tests that run many of its lines in little time.
        """
        of_module = [t for t in self._tests if t.lines.get(module)]
        found = [t for t in of_module if mutant.line in t.lines[module]]
        if not found and mutant.function is not None:
            first, last = mutant.function
            span = set(range(first, last + 1))
            found = [t for t in of_module if t.lines[module] & span]
            if not found and not self._at_import[module] & span:
                return []
        reached: dict[str, set[int]] = {}
        for test in of_module:
            reached.setdefault(test.file, set()).update(test.lines[module])

        def order(test: Test) -> tuple[bool, int, str, float]:
            lines = len(test.lines[module])
            return (
                test.seconds > _SLOW,
                -len(reached[test.file]),
                test.file,
                -lines / (0.05 + test.seconds),
            )

        return sorted(found or of_module, key=order)
