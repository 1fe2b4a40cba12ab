# SPDX-License-Identifier: Apache-2.0

"""Child processes: the measured programs, and the canned cloud.

Each figure is the median of several runs, each in its own process.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from typing import Any
from typing import Self

HERE = pathlib.Path(__file__).parent
SUBJECTS = str(HERE / 'subjects.py')
OPENSTACK = str(pathlib.Path(sys.executable).with_name('openstack'))
COMPUTE_IMAGE = str(pathlib.Path(sys.executable).with_name('compute-image'))


@dataclasses.dataclass
class Run:
    """The resources of a process, from start to end.

    :param wall: seconds
    :param cpu: seconds, user and system
    :param rss: peak memory, MB
    :param output: its output, if that was requested
    """

    wall: float
    cpu: float
    rss: float
    output: bytes = b''


def run(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    keep: bool = False,
) -> Run:
    """Run a command until it ends.

    :param keep: return the output, instead of discarding it
    :raises RuntimeError: if it fails
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
    )
    output = b''
    if process.stdout is not None:
        with process.stdout:
            output = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        name = ' '.join([pathlib.Path(command[0]).name, *command[1:]])
        raise RuntimeError(f'{name} failed: {process.returncode}')
    unit = 1 if sys.platform == 'darwin' else 1024
    return Run(
        wall,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * unit / 1e6,
        output,
    )


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process, without other OS_* variables.

    Python's own variables are removed, too: for example, without byte code on
    disk a command would compile its imports each time.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PYTHON'))
    }
    return {**inherited, 'PYTHONHASHSEED': '0', **env}


class Cloud:
    """A canned cloud in its own process.

    :param images: number of images
    :param options: options of ``cloud.py``
    :ivar env: the OS_* variables of its user
    """

    def __init__(self, images: int, *options: str) -> None:
        self.images = images
        self._process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'benchmarks.cloud',
                f'--images={images}',
                *options,
            ],
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.env: dict[str, str] = self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def statistics(self) -> dict[str, Any]:
        """Return the statistics since the last call.

        :returns: the number of ``requests``, the ``bytes`` of the responses,
            the ``cpu`` seconds that they took, and the number of ``images``
        """
        assert self._process.stdin is not None
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        figures: dict[str, Any] = self._line()
        return figures

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def note(text: str) -> None:
    """Print on stderr what is measured."""
    print(text, file=sys.stderr, flush=True)


def subject(
    name: str, env: Mapping[str, str], **options: Any
) -> tuple[Run, dict[str, Any]]:
    """Run one of ``subjects.py``; return its resources and its own figures."""
    return run_json([sys.executable, SUBJECTS, name, json.dumps(options)], env)


def run_json(
    command: Sequence[str], env: Mapping[str, str]
) -> tuple[Run, dict[str, Any]]:
    """Run a command that prints JSON; return its resources and the JSON."""
    done = run(command, env, keep=True)
    return done, json.loads(done.output)


class Medians:
    """Collects runs, and returns their medians."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, **figures: float) -> None:
        """Add a run."""
        of_name = self._runs.setdefault(name, {})
        for figure, value in figures.items():
            of_name.setdefault(figure, []).append(value)

    def result(self) -> dict[str, dict[str, float]]:
        """Return the medians, by name and figure."""
        return {
            name: {f: median(values) for f, values in figures.items()}
            for name, figures in self._runs.items()
        }


def median(runs: Sequence[float]) -> float:
    """Return the median, with the significant digits only."""
    return float(f'{statistics.median(runs):.4g}')
