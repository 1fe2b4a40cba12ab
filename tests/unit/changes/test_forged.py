# SPDX-License-Identifier: Apache-2.0

"""Plans whose rows somebody has changed.

The checksums fit. They delete nothing that the command they hold would not
delete now, and allow nothing by themselves.
"""

import contextlib
import json

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import settings
from hypothesis import strategies as st
from osc_lib import exceptions
import requests_mock

from osc_compute_images.api.changes import _document
from testbed import nova
from tests.unit.changes.conftest import written
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import DRY
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import new_fleet
from tests.unit.running import WEB


def signed(plan):
    """Return rows with the checksums of their contents."""
    return [row | {'Checksum': _document.checksum(row)} for row in plan]


#: Abbreviations are words of argparse.
COMMANDS = [
    ('prune', '--keep-last=1'),
    ('prune', '--keep-last=1', '--type=all', '--group-by=type'),
    ('prune', '--keep-last=1', '--include-u'),
    ('prune', '--keep-la=1', '--accept-g'),
    ('delete', '--type=snapshot'),
    ('delete', '--all', '--accept-gaps'),
    ('delete', '--all', '--include-used'),
    ('delete', '--all', '--keep-prop=image_type=snapshot'),
    ('delete', ID[1]),
    ('delete', 'cirros-2', ID[3]),
    ('delete', 'same'),
    ('delete', ID[1], ID[3], '--forc'),
    ('set', '--all', '--property=a=b'),
    ('unset', ID[1], '--property=image_type'),
    ('apply', 'forged.json'),
    ('delete', '--region=RegionTwo', '--all'),
    ('delete', '--all', '--keep-from=\0'),
    ('delete', '@forged.json'),
    (),
]

FIELDS = [c for c in _document.COLUMNS if c not in ('Command', 'Checksum')]
LOOSER = {
    *('--include-u', '--accept-g', '--accept-gaps', '--include-used'),
    '--forc',
}


#: Shrinking would take minutes.
FEW = settings(
    max_examples=30,
    phases=[p for p in Phase if p is not Phase.shrink],
    suppress_health_check=[*HealthCheck],
)


@FEW
@given(st.data(), st.sampled_from(COMMANDS))
def test_forged_plan_deletes_only_what_its_command_deletes(
    tmp_path_factory, data, command
):
    folder = tmp_path_factory.mktemp('forged')
    with requests_mock.Mocker() as http:
        set_catalog(http, {'RegionOne': nova.ENDPOINT})
        fleet = new_fleet().serve(http)
        fleet.servers[WEB]['status'] = data.draw(
            st.sampled_from(['ACTIVE', 'SHELVED'])
        )
        for number in data.draw(st.sets(st.integers(1, 5))):
            fleet.images[ID[number]]['name'] = 'same'
        app = App(folder)
        plan = app.rows('prune', '--keep-last=1', DRY)
        for row in plan:
            row['Action'] = 'delete'
            row['Command'] = [*command]
            if data.draw(st.booleans()):
                field = data.draw(st.sampled_from(FIELDS))
                other = data.draw(st.sampled_from(plan))
                row[field] = other[field]
        unique = {row['ID']: row for row in plan}.values()
        fresh = set()
        is_allowed = {*command}.isdisjoint(LOOSER)
        if command and command[0] in ('delete', 'prune') and is_allowed:
            fresh = planned(app, command)
        fleet.requests.clear()
        file = written(folder, signed(unique))
        with contextlib.suppress(exceptions.CommandError):
            app.run('apply', file, GO)
        assert {*fleet.writes} <= {f'DELETE /images/{ID[n]}' for n in fresh}


def planned(app, command):
    """Return what a command would delete now."""
    try:
        _, printed = app.run(*command, DRY, '-f', 'json')
    except (SystemExit, exceptions.CommandError):
        return set()
    rows_ = json.loads(printed or '[]')
    return {ID.index(r['ID']) for r in rows_ if r['Action'] == 'delete'}


def test_limit_of_the_command_holds(app, fleet, tmp_path):
    words = ('delete', '--all', DRY)
    plan = app.rows(*words)
    forged = [row | {'Command': [*words, '--max-changes=1']} for row in plan]
    file = written(tmp_path, signed(forged))
    assert app.run('apply', file, GO) == (7, '')
    assert not fleet.writes
    app.acted('apply', file, GO, '--max-changes=5')
    assert len(fleet.writes) == 5
