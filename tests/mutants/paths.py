# SPDX-License-Identifier: Apache-2.0

"""The modules to change, where they are, and whether they have changed."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'osc_compute_images'
TESTS = ROOT / 'tests' / 'unit'

#: Choice, servers, plan, changes, pager, decoding and regions.
MODULES = (
    'api/changes/_apply.py',
    'api/servers/_catalog.py',
    'api/changes/_sending.py',
    'api/listing/_decode.py',
    'api/groups/_grouping.py',
    'api/listing/_history.py',
    'api/listing/_json.py',
    'api/listing/_order.py',
    'api/listing/_pager.py',
    'api/listing/_paging.py',
    'api/listing/_query.py',
    'api/clouds/_regions.py',
    'api/listing/_salvage.py',
    'api/servers/_reader.py',
    'api/changes/_steps.py',
    'api/filters/_*.py',
    'api/servers/fleet.py',
    'api/changes/plan.py',
    'api/changes/properties.py',
    'api/changes/protection.py',
    'api/changes/retention.py',
    'api/groups/selection.py',
    'api/groups/summary.py',
    'api/changes/usage.py',
    'changes/*.py',
    'options/choice.py',
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
