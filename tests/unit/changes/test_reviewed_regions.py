# SPDX-License-Identifier: Apache-2.0

"""Plans of several regions and clouds that are reviewed and applied later."""

import pytest

from tests.unit.changes.conftest import REGIONS
from tests.unit.changes.conftest import written
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import CLOUD
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID

ALL = ('delete --type=snapshot', '--all-regions')
TWO = ('delete --type=snapshot', '--region=RegionOne', '--region=RegionTwo')


def fail(_method, _path):
    raise OSError('down')


@pytest.mark.parametrize('words', [ALL, TWO])
def test_plan_of_two_regions(app, fleet, apart, tmp_path, words, caplog):
    plan = app.rows(*words, DRY)
    assert len(plan) == 10
    # Rows that only one region is left of.
    left = [row for row in plan if row['Region'] == 'RegionTwo'][1:]
    got = app.rows('apply', written(tmp_path, left), GO)
    assert {row['Region'] for row in got} == {'RegionTwo'}
    assert [row['Result'] for row in got] == ['done'] * 4
    assert len(fleet.images) == 6
    assert [*apart.images] == [ID[11]]
    app.rows('apply', written(tmp_path, plan), GO)
    assert ([*fleet.images], apart.images) == ([ID[0]], {})
    assert caplog.messages[-1] == '6 images deleted (128.6M), 4 kept'


def test_region_that_fails_or_is_gone(
    app, fleet, apart, http, tmp_path, caplog, slept
):
    file = written(tmp_path, app.rows(*ALL, DRY))
    apart.before = fail
    for word in (DRY, GO):
        caplog.clear()
        got = app.rows('apply', file, word, code=1)
        assert {row['Region'] for row in got} == {'RegionOne'}
        assert errors(caplog)[0].startswith('Region RegionTwo: ')
    assert [*fleet.images] == [ID[0]]
    assert len(apart.images) == 5
    set_catalog(http, {'RegionOne': REGIONS['RegionOne']})
    assert app.run('apply', file, GO) == (7, '')
    assert 'made in cloud mycloud, region RegionTwo' in errors(caplog)[-1]
    assert not apart.writes


def test_plan_of_all_clouds(fleet, apart, tmp_path, caplog):
    other = {**CLOUD, 'region_name': 'RegionTwo'}
    app = App(tmp_path, {'other': other})
    plan = app.rows('delete --type=snapshot --all-clouds', DRY)
    assert {(r['Cloud'], r['Region']) for r in plan} == {
        ('mycloud', 'RegionOne'),
        ('other', 'RegionTwo'),
    }
    file = written(tmp_path, plan)
    broken = {**other, 'auth': {'auth_url': 'http://nowhere.example.com'}}
    app = App(tmp_path, {'other': broken})
    got = app.rows('apply', file, GO, code=1)
    assert {r['Cloud'] for r in got} == {'mycloud'}
    assert errors(caplog)[0].startswith('Cloud other: ')
    assert [*fleet.images] == [ID[0]]
    assert not apart.writes
    app = App(tmp_path, {'other': other})
    got = app.rows('apply', file, GO)
    assert {r['Cloud'] for r in got if r['Result'] == 'done'} == {'other'}
    assert not apart.images
