# SPDX-License-Identifier: Apache-2.0

"""Plans that are reviewed and applied later, and images that are kept."""

import datetime
import io
import json
import pathlib
import sys

from hypothesis import assume
from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
import pytest
import requests_mock

from osc_compute_images.api.changes import _document
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.changes import work
from osc_compute_images.commands.apply import ApplyComputeImages
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage
from testbed import nova
from testbed.fleet import server
from tests.unit import conftest
from tests.unit.running import acted
from tests.unit.running import App
from tests.unit.running import CLOUD
from tests.unit.running import day
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import new_fleet
from tests.unit.running import rows
from tests.unit.running import run
from tests.unit.running import WEB

SNAPSHOTS = ['--type', 'snapshot']
PRUNE = (PruneComputeImages, '--keep-last=1')


@pytest.fixture
def fleet(http):
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path, {'other': CLOUD})


@pytest.fixture
def reviewed(app, tmp_path):
    """Return a function that writes a plan, and returns its file."""

    def write(kind, *words, edit=lambda rows: rows):
        plan = rows(app, kind, *words, DRY)
        file = tmp_path / 'plan.json'
        file.write_text(json.dumps(edit(plan)))
        return str(file)

    return write


def applied(app, file, *words, code=0):
    """Apply a plan; return the results by the number of the image."""
    done = rows(app, ApplyComputeImages, file, GO, *words, code=code)
    return {ID.index(row['ID']): row['Result'] for row in done}


def writes(fleet):
    return [w.replace('/images/', '') for w in fleet.writes]


# --- from the plan to its application ---------------------------------------


@pytest.mark.parametrize(
    ('command', 'changed'),
    [
        (PRUNE, [4, 2, 1]),
        ((DeleteComputeImage, *SNAPSHOTS), [5, 4, 3, 2, 1]),
        ((DeleteComputeImage, ID[0], ID[1], f'cirros-{2}'), [0, 1, 2]),
        ((SetComputeImage, '--all', '--property=a=b'), [5, 4, 3, 2, 1, 0]),
        ((SetComputeImage, ID[1], '--property=a=b'), [1]),
        ((UnsetComputeImage, ID[1], '--property=image_type'), [1]),
    ],
)
def test_plan_is_applied_twice(app, fleet, reviewed, caplog, command, changed):
    file = reviewed(*command)
    assert not fleet.writes
    assert applied(app, file) == dict.fromkeys(changed, 'done')
    assert len(fleet.writes) == len(changed)
    fleet.requests.clear()
    again = applied(app, file)
    assert {*again.values()} <= {'kept'}
    assert not fleet.writes
    assert errors(caplog) == []


def test_rows_may_be_removed(app, fleet, reviewed):
    file = reviewed(
        *PRUNE, edit=lambda rows: [r for r in rows if r['ID'] != ID[2]]
    )
    assert applied(app, file) == {4: 'done', 1: 'done'}
    assert sorted(fleet.images) == [ID[n] for n in (0, 2, 3, 5)]


def test_plan_from_stdin_as_lines(app, fleet, monkeypatch):
    _, printed = run(app, *PRUNE, DRY, '-f', 'jsonl')
    stdin = io.TextIOWrapper(io.BytesIO(printed.encode()))
    monkeypatch.setattr(sys, 'stdin', stdin)
    assert applied(app, '-') == dict.fromkeys([4, 2, 1], 'done')


def test_dry_run_of_a_plan(app, fleet, reviewed):
    file = reviewed(*PRUNE)
    assert acted(app, ApplyComputeImages, file, DRY) == [
        ('delete', n) for n in (4, 2, 1)
    ]
    assert not fleet.writes


def test_empty_plan(app, fleet, tmp_path):
    file = tmp_path / 'plan.json'
    file.write_text('[]')
    assert applied(app, str(file)) == {}
    assert fleet.requests == []


def test_limit_of_changes(app, fleet, reviewed):
    file = reviewed(*PRUNE)
    code, _ = run(app, ApplyComputeImages, file, GO, '--max-changes=2')
    assert code == 7
    assert not fleet.writes


# --- what has changed meanwhile ---------------------------------------------


def boot(fleet):
    fleet.servers['x'] = server('x', image=ID[1])


def shelve(fleet):
    fleet.servers[WEB]['status'] = 'SHELVED'


def rename(fleet):
    fleet.images[ID[1]]['name'] = 'golden'


def delete_successor(fleet):
    del fleet.images[ID[3]]


def replace(fleet):
    fleet.images[ID[1]]['OS-EXT-IMG-SIZE:size'] = 1


@pytest.mark.parametrize(
    ('act', 'kept'),
    [
        (boot, {1}),
        (shelve, {1, 2}),
        (rename, {1}),
        (replace, {1}),
        # The newest that is left must stay.
        (delete_successor, {2}),
    ],
)
def test_image_that_must_be_kept_now(app, fleet, reviewed, caplog, act, kept):
    file = reviewed(*PRUNE)
    act(fleet)
    results = applied(app, file, code=1)
    assert results == {n: 'kept' if n in kept else 'done' for n in (4, 2, 1)}
    assert all(ID[n] in fleet.images for n in kept)
    assert len([e for e in errors(caplog) if 'is kept' in e]) == len(kept)


def test_new_images_are_not_changed(app, fleet, reviewed):
    """Never more than was reviewed, although more could be deleted now."""
    file = reviewed(*PRUNE)
    newer = {**fleet.images[ID[3]], 'id': ID[9], 'created': day(20)}
    fleet.images[ID[9]] = newer
    assert applied(app, file) == dict.fromkeys([4, 2, 1], 'done')
    assert {ID[3], ID[9]} <= fleet.images.keys()


def test_image_is_gone(app, fleet, reviewed):
    file = reviewed(*PRUNE)
    del fleet.images[ID[1]]
    assert applied(app, file) == {4: 'done', 2: 'done', 1: 'kept'}


# --- plans that are refused -------------------------------------------------


def refused(app, fleet, caplog, file, *words):
    code, printed = run(app, ApplyComputeImages, file, GO, *words)
    assert (code, printed) == (7, '')
    assert not fleet.writes
    [message] = errors(caplog)
    return message


def test_plan_of_another_place(app, fleet, http, reviewed, caplog, tmp_path):
    file = reviewed(*PRUNE)
    app.options.cloud = 'other'
    assert 'made in cloud mycloud' in refused(app, fleet, caplog, file)
    caplog.clear()
    conftest.set_catalog(http, {'RegionTwo': nova.ENDPOINT})
    elsewhere = App(tmp_path, region_name='RegionTwo')
    assert 'not in cloud mycloud, region RegionTwo' in refused(
        elsewhere, fleet, caplog, file
    )


def test_plan_of_another_project(app, fleet, reviewed, caplog, monkeypatch):
    file = reviewed(*PRUNE)
    monkeypatch.setattr(
        'keystoneauth1.adapter.Adapter.get_project_id', lambda _: 'another'
    )
    assert 'project another' in refused(app, fleet, caplog, file)


@pytest.mark.parametrize(
    ('command', 'option'),
    [
        ((*PRUNE, '--include-used'), '--include-used'),
        ((*PRUNE, '--accept-gaps'), '--accept-gaps'),
        ((DeleteComputeImage, ID[1], '--force'), '--force'),
        (
            (SetComputeImage, ID[1], '--property=a=b', '--allow-private'),
            '--allow-private',
        ),
    ],
)
def test_options_that_allow_more_are_given_again(
    app, fleet, reviewed, caplog, command, option
):
    file = reviewed(*command)
    assert option in refused(app, fleet, caplog, file)
    assert {*applied(app, file, option).values()} == {'done'}


@pytest.mark.parametrize('content', [None, '', 'x', '[{"ID": "x"}]'])
def test_file_that_is_no_plan(app, fleet, tmp_path, caplog, content):
    file = tmp_path / 'plan.json'
    if content is not None:
        file.write_text(content)
    expected = str(file) if content is None else 'The plan is refused'
    assert expected in refused(app, fleet, caplog, str(file))


def test_plan_of_a_python_program(app, fleet, reviewed, caplog):
    file = reviewed(*PRUNE)
    plan = Plan.from_json(pathlib.Path(file).read_text())
    pathlib.Path(file).write_text(plan.to_json())
    assert 'not made by a command' in refused(app, fleet, caplog, file)


FIELDS = [
    *('Action', 'ID', 'Name', 'Reason', 'Status', 'Updated At', 'Size'),
    *('Successor', 'Properties', 'Replaces', 'Removed', 'Cloud', 'Region'),
    *('Project', 'Command', 'Schema', 'Checksum'),
]


@settings(
    max_examples=60,
    suppress_health_check=[*HealthCheck],
)
@given(
    st.data(),
    st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3),
    st.sampled_from(['', 'delete', 'keep', None, 0, [], {}, *ID[:6]]),
)
def test_altered_plan_deletes_nothing(tmp_path_factory, data, fields, value):
    """Whatever is altered in it, by whom ever: also a keep to a delete."""
    folder = tmp_path_factory.mktemp('altered')
    with requests_mock.Mocker() as mocker:
        conftest.set_catalog(mocker, {'RegionOne': nova.ENDPOINT})
        fleet = new_fleet().serve(mocker)
        app = App(folder)
        plan = rows(app, *PRUNE, DRY)
        before = json.dumps(plan)
        row = data.draw(st.sampled_from(plan))
        other = data.draw(st.sampled_from(plan))
        for field in fields:
            row[field] = other[field] if data.draw(st.booleans()) else value
        assume(json.dumps(plan) != before)
        file = folder / 'plan.json'
        file.write_text(json.dumps(plan))
        code, _ = run(app, ApplyComputeImages, str(file), GO)
        assert code == 7
        assert not fleet.writes


def test_forged_plan_frees_nothing(app, fleet, reviewed):
    """A row with a checksum of its own does not delete what rules keep."""

    def forge(plan):
        for row in plan:
            row['Action'] = 'delete'
            row['Successor'] = None
            row['Reason'] = 'no rule keeps it'
            row['Checksum'] = _document.checksum(row)
        return plan

    file = reviewed(*PRUNE, edit=forge)
    results = applied(app, file, code=1)
    assert {n for n, r in results.items() if r == 'done'} == {4, 2, 1}
    assert {ID[3], ID[5]} <= fleet.images.keys()


# --- images that are kept ----------------------------------------------------


def test_keep_by_property(app, fleet, caplog):
    """They are kept with that reason, and count in their group."""
    fleet.images[ID[3]]['metadata']['keep'] = 'yes'
    fleet.images[ID[1]]['metadata']['keep'] = 'no'
    [first, *_] = plan = rows(app, *PRUNE, '--keep-property=keep=yes', DRY)
    assert first['ID'] == ID[5]
    reasons = {ID.index(r['ID']): r['Reason'] for r in plan}
    assert reasons[3] == 'kept by last'
    assert {n for n, r in reasons.items() if 'property' in r} == set()
    delete = (DeleteComputeImage, *SNAPSHOTS, '--keep-property=keep', DRY)
    kept = [r for r in rows(app, *delete) if r['Action'] == 'keep']
    assert {ID.index(r['ID']): r['Reason'] for r in kept} == {
        3: 'it has the property keep=yes',
        1: 'it has the property keep=no',
    }


@pytest.mark.parametrize('value', ['', '=yes', 'keep!=yes'])
def test_property_that_no_image_has(app, fleet, value):
    """A variable that is not set would protect nothing."""
    with pytest.raises(SystemExit):
        run(app, *PRUNE, f'--keep-property={value}', GO)
    assert fleet.requests == []


def test_keep_what_files_name(app, fleet, tmp_path, monkeypatch):
    state = tmp_path / 'terraform.tfstate'
    state.write_text(f'{{"image": "{ID[1].upper()}"}}')
    monkeypatch.setattr(
        sys, 'stdin', io.TextIOWrapper(io.BytesIO(f'{ID[2]}\n'.encode()))
    )
    options = [f'--keep-from={state}', '--keep-from=-']
    plan = rows(app, *PRUNE, *options, DRY)
    reasons = {ID.index(r['ID']): r['Reason'] for r in plan}
    assert reasons[1] == f'named in {state}'
    assert reasons[2] == 'named in stdin'
    assert reasons[4] == 'no rule keeps it'


def test_named_image_is_kept_too(app, fleet, caplog):
    fleet.images[ID[1]]['metadata']['keep'] = ''
    words = (ID[1], ID[2], '--keep-property=keep')
    code, _ = run(app, DeleteComputeImage, *words)
    assert code == 1
    assert ID[1] in fleet.images
    assert ID[2] not in fleet.images


@pytest.mark.parametrize('content', [None, '', 'no UUID'])
def test_file_that_names_nothing(app, fleet, tmp_path, caplog, content):
    """An empty file is rather a broken pipe than a list without images."""
    file = tmp_path / 'names'
    if content is not None:
        file.write_text(content)
    code, printed = run(app, *PRUNE, f'--keep-from={file}', GO)
    assert (code, printed) == (7, '')
    assert fleet.requests == []
    assert str(file) in errors(caplog)[0]


def test_kept_by_a_plan_and_by_its_application(
    app, fleet, reviewed, tmp_path, caplog
):
    """A file that the plan names is read again, and more may be given."""
    names = tmp_path / 'names'
    names.write_text(ID[1])
    file = reviewed(*PRUNE, f'--keep-from={names}')
    names.write_text(ID[2])
    more = tmp_path / 'more'
    more.write_text(ID[4])
    results = applied(app, file, f'--keep-from={more}', code=7)
    assert results == {4: 'kept', 2: 'kept'}
    results = applied(app, file, code=1)
    assert results == {4: 'done', 2: 'kept'}
    assert ID[1] in fleet.images


def test_stdin_of_a_plan_is_given_again(
    app, fleet, reviewed, caplog, monkeypatch
):
    stdin = io.TextIOWrapper(io.BytesIO(ID[1].encode()))
    monkeypatch.setattr(sys, 'stdin', stdin)
    file = reviewed(*PRUNE, '--keep-from=-')
    assert '--keep-from -' in refused(app, fleet, caplog, file)
    stdin = io.TextIOWrapper(io.BytesIO(ID[2].encode()))
    monkeypatch.setattr(sys, 'stdin', stdin)
    results = applied(app, file, '--keep-from=-', code=1)
    assert results == {4: 'done', 2: 'kept'}


@pytest.mark.parametrize('option', ['--keep-property=a', '--keep-from=-'])
def test_nothing_to_keep(app, fleet, reviewed, caplog, option):
    """An option without effect would be taken for a protection."""
    file = reviewed(SetComputeImage, '--all', '--property=a=b')
    assert 'deletes nothing' in refused(app, fleet, caplog, file, option)


# --- exit codes --------------------------------------------------------------


def test_detailed_exit_code(app, fleet):
    words = ('--keep-last=1', DRY, '--detailed-exitcode')
    assert run(app, PruneComputeImages, *words)[0] == 8
    assert run(app, *PRUNE, GO)[0] == 0
    assert run(app, PruneComputeImages, *words)[0] == 0
    code, _ = run(app, *PRUNE, '--detailed-exitcode', GO)
    assert code == 2


# --- totals ------------------------------------------------------------------


def warnings(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == 'WARNING']


def test_totals(app, fleet, caplog):
    """How many images are deleted and kept, and how many bytes that frees."""
    for number in range(6):
        fleet.images[ID[number]]['OS-EXT-IMG-SIZE:size'] = 10**number
    fleet.images[ID[2]]['OS-EXT-IMG-SIZE:size'] = None
    rows(app, *PRUNE, DRY)
    assert warnings(caplog)[-1] == '3 images to delete (10K), 2 kept'
    fleet.images[ID[1]]['metadata']['protected_here'] = 'yes'
    renamed = fleet.images[ID[2]]
    fleet.before = lambda *_request: (
        fleet.requests.count(f'GET /images/{ID[2]}')
        and renamed.update(name='x')
    )
    caplog.clear()
    assert run(app, *PRUNE, GO)[0] == 1
    assert warnings(caplog)[-1] == (
        '1 image deleted (10K), 2 kept, 1 skipped, 1 failed'
    )


def test_image_that_others_deleted_frees_nothing(app, fleet, caplog):
    def delete(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[4]}'):
            fleet.images.pop(ID[2])

    fleet.before = delete
    done = {r['ID']: r['Result'] for r in rows(app, *PRUNE, GO)}
    assert (done[ID[4]], done[ID[2]]) == ('done', 'gone')
    size = fleet.images[ID[3]]['OS-EXT-IMG-SIZE:size']
    assert size == 21430272
    assert warnings(caplog)[-1] == '2 images deleted (42.9M), 2 kept, 1 gone'


def test_kept_image_is_reported_once(
    app, fleet, reviewed, caplog, monkeypatch, typed
):
    """Even if the answer took long, and the plan is made again."""
    file = reviewed(*PRUNE)
    rename(fleet)
    monkeypatch.setattr(work, '_FRESH', -1)
    typed('y\n')
    got = rows(app, ApplyComputeImages, file, code=1)
    assert [r['Result'] for r in got] == ['done', 'done', 'kept']
    kept, total = errors(caplog)
    assert ID[1] in kept
    assert total == '1 of 3 images failed to delete.'


def test_named_images_have_no_totals(app, caplog):
    run(app, DeleteComputeImage, ID[1])
    assert warnings(caplog) == []


def test_outcomes_are_an_audit_log(app, fleet, http):
    """They say when, and under which request ID, for each change."""
    http.delete(
        f'{nova.ENDPOINT}/images/{ID[1]}',
        status_code=204,
        headers={'X-OpenStack-Request-Id': 'req-1'},
    )
    http.delete(
        f'{nova.ENDPOINT}/images/{ID[2]}',
        status_code=403,
        headers={'X-OpenStack-Request-Id': 'req-2'},
    )
    done = {r['ID']: r for r in rows(app, *PRUNE, GO, code=1)}
    assert done[ID[1]]['Request ID'] == 'req-1'
    assert done[ID[2]]['Request ID'] == 'req-2'
    assert done[ID[4]]['Request ID'] is None
    assert done[ID[3]]['Request ID'] is None
    times = [datetime.datetime.fromisoformat(r['Time']) for r in done.values()]
    assert all(time.utcoffset() == datetime.timedelta() for time in times)
    assert times == sorted(times)
    _, table = run(app, *PRUNE, GO)
    assert 'Request ID' not in table
