# SPDX-License-Identifier: Apache-2.0

"""Plans of several regions and clouds that are reviewed and applied later."""

import json

import pytest

from osc_compute_images import base
from testbed.fleet import server
from tests.unit.changes.conftest import REGIONS
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import CLOUD
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import rows
from tests.unit.running import run

ALL = ('delete --type=snapshot', '--all-regions')
TWO = ('delete --type=snapshot', '--region=RegionOne', '--region=RegionTwo')


def written(folder, plan):
    file = folder / 'plan.json'
    file.write_text(json.dumps(plan))
    return str(file)


def fail(_method, _path):
    raise OSError('down')


@pytest.mark.parametrize('words', [ALL, TWO])
def test_plan_of_two_regions(app, fleet, apart, tmp_path, words, caplog):
    plan = rows(app, *words, DRY)
    assert len(plan) == 10
    # Rows that only one region is left of.
    left = [row for row in plan if row['Region'] == 'RegionTwo'][1:]
    got = rows(app, 'apply', written(tmp_path, left), GO)
    assert {row['Region'] for row in got} == {'RegionTwo'}
    assert [row['Result'] for row in got] == ['done'] * 4
    assert len(fleet.images) == 6
    assert [*apart.images] == [ID[11]]
    rows(app, 'apply', written(tmp_path, plan), GO)
    assert ([*fleet.images], apart.images) == ([ID[0]], {})
    assert caplog.messages[-1] == '6 images done (128.6M), 4 kept'


def test_region_that_fails_when_the_plan_is_applied(
    app, fleet, apart, tmp_path, caplog, slept
):
    file = written(tmp_path, rows(app, *ALL, DRY))
    apart.before = fail
    for word in (DRY, GO):
        caplog.clear()
        got = rows(app, 'apply', file, word, code=1)
        assert {row['Region'] for row in got} == {'RegionOne'}
        assert errors(caplog)[0].startswith('Region RegionTwo: ')
    assert [*fleet.images] == [ID[0]]
    assert len(apart.images) == 5


def test_region_that_no_longer_exists(
    app, fleet, apart, http, tmp_path, caplog
):
    file = written(tmp_path, rows(app, *ALL, DRY))
    set_catalog(http, {'RegionOne': REGIONS['RegionOne']})
    assert run(app, 'apply', file, GO) == (base.EXIT_REFUSED, '')
    assert 'made in cloud mycloud, region RegionTwo' in errors(caplog)[0]
    assert not fleet.writes + apart.writes


def test_image_of_a_shared_service_is_deleted_once(
    app, fleet, shared, tmp_path, caplog
):
    plan = rows(app, *ALL, DRY)
    assert caplog.messages[-1] == '4 images to delete (85.7M), 1 kept'
    got = rows(app, 'apply', written(tmp_path, plan), GO, '--max-changes=4')
    assert sorted(row['Result'] for row in got) == ['done'] * 4 + ['gone'] * 4
    assert caplog.messages[-1] == '4 images done (85.7M), 0 kept'
    assert {*fleet.images} == {ID[0], ID[4]}


def test_server_of_another_region_that_shares_the_images(
    app, fleet, shared, tmp_path
):
    file = written(tmp_path, rows(app, 'delete --type=snapshot', DRY))
    shared.servers['x'] = server('x', image=ID[2])
    got = rows(app, 'apply', file, GO, code=1)
    assert {r['ID']: r['Result'] for r in got} == {
        **dict.fromkeys((ID[5], ID[3], ID[1]), 'done'),
        ID[2]: 'kept',
    }


def test_plan_of_all_clouds(fleet, apart, tmp_path, caplog):
    other = {**CLOUD, 'region_name': 'RegionTwo'}
    app = App(tmp_path, {'other': other})
    plan = rows(app, 'delete --type=snapshot --all-clouds', DRY)
    assert {(r['Cloud'], r['Region']) for r in plan} == {
        ('mycloud', 'RegionOne'),
        ('other', 'RegionTwo'),
    }
    file = written(tmp_path, plan)
    broken = {**other, 'auth': {'auth_url': 'http://nowhere.example.com'}}
    app = App(tmp_path, {'other': broken})
    got = rows(app, 'apply', file, GO, code=1)
    assert {r['Cloud'] for r in got} == {'mycloud'}
    assert errors(caplog)[0].startswith('Cloud other: ')
    assert [*fleet.images] == [ID[0]]
    assert not apart.writes
    app = App(tmp_path, {'other': other})
    got = rows(app, 'apply', file, GO)
    assert {r['Cloud'] for r in got if r['Result'] == 'done'} == {'other'}
    assert not apart.images
