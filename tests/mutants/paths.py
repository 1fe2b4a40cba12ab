# SPDX-License-Identifier: Apache-2.0

"""The modules to change, where they are, and whether they have changed."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'osc_compute_images'
TESTS = ROOT / 'tests' / 'unit'

#: Choice, servers, plan, changes, pager, decoding and regions.
MODULES = (
    'api/_apply.py',
    'api/_catalog.py',
    'api/_changes.py',
    'api/_decode.py',
    'api/_grouping.py',
    'api/_history.py',
    'api/_json.py',
    'api/_order.py',
    'api/_pager.py',
    'api/_paging.py',
    'api/_query.py',
    'api/_regions.py',
    'api/_salvage.py',
    'api/_servers.py',
    'api/_steps.py',
    'api/filters/_*.py',
    'api/fleet.py',
    'api/plan.py',
    'api/properties.py',
    'api/protection.py',
    'api/retention.py',
    'api/selection.py',
    'api/summary.py',
    'api/usage.py',
    'changes/*.py',
    'options/declared.py',
    'options/filter_option.py',
    'options/select.py',
    'options/unreadable.py',
    'output/used_by.py',
    'targets/finder.py',
    'targets/results.py',
    'targets/scope.py',
)


def digest(*paths: Path) -> str:
    """Return what changes when one of some files does."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]
