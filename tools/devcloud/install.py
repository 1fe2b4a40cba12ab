# SPDX-License-Identifier: Apache-2.0

"""Installing the services into their own venv."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys

#: Requirements files, by release of OpenStack.
RELEASES = {
    path.stem.removeprefix('requirements-'): path
    for path in Path(__file__).parent.glob('requirements-*.txt')
}

NEWEST = 'newest'

Say = Callable[[str], None]


class DevcloudError(Exception):
    """An error: one line, optionally followed by the end of a log."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock against other processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure_venv(state: Path, release: str, say: Say) -> Path:
    """Install the services if necessary, and return the venv's folder.

    The name of the folder depends on the versions.
    """
    requirements = RELEASES[release]
    key = hashlib.sha256(
        requirements.read_bytes() + sys.version.encode()
    ).hexdigest()[:12]
    venv = state / f'venv-{key}'
    stamp = venv / 'installed'
    with locked(state / 'install.lock'):
        if not stamp.exists():
            shutil.rmtree(venv, ignore_errors=True)
            _install(venv, requirements, say)
            stamp.touch()
    return venv


def _install(venv: Path, requirements: Path, say: Say) -> None:
    uv = str(Path(sys.executable).with_name('uv'))
    python = str(venv / 'bin' / 'python')
    say('Installing the services of OpenStack (once; about 600 MB) ...')
    _run([uv, 'venv', '--quiet', '--python', sys.executable, str(venv)])
    _run(
        [uv, 'pip', 'install', '--quiet', '--compile-bytecode',
         '--python', python, '--requirement', str(requirements)]
    )  # fmt: skip


def _run(command: list[str]) -> None:
    # Byte code saves time, as five services are started often.
    env = {k: v for k, v in os.environ.items() if k != 'VIRTUAL_ENV'}
    env.pop('PYTHONDONTWRITEBYTECODE', None)
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DevcloudError(
            f'{" ".join(command[:4])} ... failed:\n{done.stdout[-3000:]}'
        )
