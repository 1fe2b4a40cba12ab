# SPDX-License-Identifier: Apache-2.0

"""Tell which lines of the package tests run."""

from collections.abc import Iterator
import contextlib
import dataclasses
import json
from pathlib import Path
import time
from typing import Any

import coverage
import pytest

from tests.mutants.collected import QUIET
from tests.mutants.collected import Session
from tests.mutants.forking import run_in_child
from tests.mutants.paths import PACKAGE

#: CPU seconds, for one file of tests.
_LIMIT = 300


@contextlib.contextmanager
def _measured(into: dict[str, dict[str, list[int]]]) -> Iterator[Any]:
    """Add the lines of each module that run, by context."""
    measuring = coverage.Coverage(
        data_file=None, source=[str(PACKAGE)], config_file=False
    )
    measuring.start()
    yield measuring
    measuring.stop()
    data = measuring.get_data()
    for file in data.measured_files():
        module = str(Path(file).relative_to(PACKAGE))
        for line, contexts in data.contexts_by_lineno(file).items():
            for context in contexts:
                of = into.setdefault(context, {})
                of.setdefault(module, []).append(line)


@dataclasses.dataclass
class Recording:
    """Run a file of tests, and tell which lines each of them runs.

    :param file: the file
    :param path: where it is told
    """

    file: str
    path: Path
    limit: float = _LIMIT

    def run(self, session: Session) -> int:
        """Do it in this process."""
        names = session.names(self.file)
        passed: dict[str, float] = {}
        lines: dict[str, dict[str, list[int]]] = {}
        with _measured(lines) as measuring:
            for name in names:
                measuring.switch_context(name)
                began = time.process_time()
                if all(session.run([name])):
                    passed[name] = time.process_time() - began
        found = [
            (name, seconds, lines.get(name, {}))
            for name, seconds in passed.items()
        ]
        self.path.write_text(json.dumps(found))
        return 0


def record_imports(path: Path, files: list[Path]) -> None:
    """Tell which lines run before the first test."""

    def work() -> int:
        lines: dict[str, dict[str, list[int]]] = {}
        with _measured(lines):
            pytest.main([*QUIET, '--collect-only', *map(str, files)])
        path.write_text(json.dumps(lines['']))
        return 0

    run_in_child(work, _LIMIT)
