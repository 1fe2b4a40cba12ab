# SPDX-License-Identifier: Apache-2.0

"""Where the package and its tests are, and whether they have changed."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'osc_compute_images'
TESTS = ROOT / 'tests' / 'unit'


def digest(*paths: Path) -> str:
    """Return what changes when one of some files does."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]
