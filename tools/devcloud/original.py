# SPDX-License-Identifier: Apache-2.0

"""A filled cloud without processes: new clouds are copies of it."""

import contextlib
import hashlib
from pathlib import Path
import shutil
import sqlite3

_PROGRAM = Path(__file__).parent


class Original:
    """The original of new clouds of one release.

    :param folder: the folder of the originals; each is kept as long as this
        program and the versions of the services are the same
    :param release: release of OpenStack
    """

    def __init__(self, folder: Path, release: str) -> None:
        self._release = release
        files = sorted(
            path
            for path in _PROGRAM.rglob('*')
            if path.suffix in ('.py', '.txt')
        )
        sources = b''.join(path.read_bytes() for path in files)
        key = hashlib.sha256(sources).hexdigest()[:12]
        self._folder = folder / f'{release}-{key}'

    def exists(self) -> bool:
        """Return whether there is one to copy."""
        return self._folder.exists()

    def keep(self, home: Path) -> None:
        """Copy a new cloud, which may run, and remove older originals.

        :param home: the folder of the cloud
        """
        for old in self._folder.parent.glob(f'{self._release}-*'):
            shutil.rmtree(old)
        unfinished = self._folder.parent / f'unfinished-{self._release}'
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(
            home,
            unfinished,
            ignore=shutil.ignore_patterns('*.log', '*.pid', '*.db-*'),
            copy_function=_copy,
        )
        unfinished.rename(self._folder)

    def copy_to(self, home: Path) -> None:
        """Make the folder of a cloud."""
        shutil.copytree(self._folder, home)


def _copy(source: str, target: str) -> None:
    """Copy a file; of a database, what its processes have committed."""
    if not source.endswith('.db'):
        shutil.copy2(source, target)
        return
    with (
        contextlib.closing(sqlite3.connect(source, timeout=60)) as db,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        db.backup(copy)
