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


def clean_environment() -> dict[str, str]:
    """Return the environment without what changes Python or OpenStack."""
    changing = ('OS_', 'PYTHON', 'COV_', 'COVERAGE_', 'VIRTUAL_ENV')
    return {k: v for k, v in os.environ.items() if not k.startswith(changing)}


def run(*words: str | Path, cwd: Path | None = None) -> None:
    """Run a command; its output matters only if it fails."""
    done = subprocess.run(
        words, cwd=cwd, env=clean_environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        command = ' '.join(map(str, words[:4]))
        raise DevcloudError(f'{command} ... failed:\n{done.stdout[-3000:]}')


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
            say(
                'Installing the services of OpenStack (once; about 600 MB) ...'
            )
            shutil.rmtree(venv, ignore_errors=True)
            uv = Path(sys.executable).with_name('uv')
            run(uv, 'venv', '--quiet', '--python', sys.executable, venv)
            # Byte code saves time, as five services are started often.
            run(uv, 'pip', 'install', '--quiet', '--compile-bytecode',
                '--python', venv / 'bin' / 'python',
                '--requirement', requirements)  # fmt: skip
            stamp.touch()
    return venv
