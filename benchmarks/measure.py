# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Child processes: what is measured, and the cloud that it is measured on."""

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
OPENSTACK = str(pathlib.Path(sys.executable).with_name('openstack'))


@dataclasses.dataclass
class Run:
    """What a process took, from its start to its end.

    :param wall: seconds
    :param cpu: seconds, user and system
    :param rss: the most memory that it held, MB
    :param output: what it wrote, if that was asked for
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
    """Run a command to its end.

    :param keep: keep the output, instead of throwing it away unread
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


def time_to_line(
    command: Sequence[str], env: Mapping[str, str], lines: int
) -> float:
    """Return the seconds until a command has written some lines."""
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        wall = time.perf_counter() - began
        process.stdout.read()
    return wall


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process, with no other cloud in it."""
    inherited = {k: v for k, v in os.environ.items() if k[:3] != 'OS_'}
    return {**inherited, 'PYTHONHASHSEED': '0', **env}


class Cloud:
    """A canned cloud in a process of its own.

    :param images: how many it has
    :param options: of ``cloud.py``
    :ivar env: the OS_* variables of its user
    """

    def __init__(self, images: int, *options: str) -> None:
        self.images = images
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(HERE / 'cloud.py'),
                f'--images={images}',
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.env: dict[str, str] = self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def told(self) -> dict[str, Any]:
        """Return what came since this was last asked for.

        :returns: the number of ``requests``, and the ``cpu`` seconds that
            the server spent on them
        """
        assert self._process.stdin is not None
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        told: dict[str, Any] = self._line()
        return told

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def median(runs: Sequence[float]) -> float:
    """Return the median, with as many digits as mean something."""
    return float(f'{statistics.median(runs):.4g}')
