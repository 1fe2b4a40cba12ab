# SPDX-License-Identifier: Apache-2.0

"""Changes of images that filters choose, on a model of a cloud."""

import io
import json
import sys
import time

from osc_lib import exceptions
import pytest

from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage
from osc_compute_images.output import bounds
from testbed.fleet import server
from tests.unit.commands.test_commands import App
from tests.unit.commands.test_commands import run
from tests.unit.running import acted
from tests.unit.running import day
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import new_fleet
from tests.unit.running import rows
from tests.unit.running import SNAPSHOTS
from tests.unit.running import Terminal
from tests.unit.running import WEB

DELETE = (DeleteComputeImage, *SNAPSHOTS)
LAST = (PruneComputeImages, '--keep-last=1')


@pytest.fixture
def fleet(http):
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path)


@pytest.fixture
def typed(monkeypatch):
    """Return a function that makes a terminal with this input."""

    def type_(text, stdin=Terminal):
        monkeypatch.setattr(sys, 'stdin', stdin(text))
        terminal = Terminal()
        monkeypatch.setattr(sys, 'stderr', terminal)
        return terminal

    return type_


def delete(app, *words, code=0):
    return rows(app, DeleteComputeImage, *words, code=code)


# --- one plan, shown or applied -------------------------------------------


@pytest.mark.parametrize(
    ('command', 'changed'),
    [
        ((DeleteComputeImage, '--all'), [5, 4, 3, 2, 1]),
        ((*DELETE, f'--created-before={day(3)}'), [2, 1]),
        (
            (DeleteComputeImage, '--unused', '--not-name=cirros-1'),
            [5, 4, 3, 2],
        ),
        ((DeleteComputeImage, '--all', '--include-used'), [5, 4, 3, 2, 1, 0]),
        (LAST, [4, 2, 1]),
        ((PruneComputeImages, '--keep-within=25h'), [1]),
        ((PruneComputeImages, '--keep-last=0'), []),
        ((PruneComputeImages, '--keep-last=1', f'--server={DB}'), [4]),
        ((*LAST, '--group-by=type', '--type=all'), [4, 3, 2, 1]),
        ((*LAST, f'--created-before={day(3)}'), [1]),
        ((SetComputeImage, '--all', '--property=a=b'), [5, 4, 3, 2, 1, 0]),
        (
            (SetComputeImage, '--with-name=cirros-1', '--property=a=b'),
            [1],
        ),
        (
            (SetComputeImage, '--with-unused', '--property=os_distro=x'),
            [5, 4, 3, 2, 1],
        ),
        (
            (
                *(UnsetComputeImage, '--with-property=os_distro'),
                *('--property=os_distro', '--property=none'),
            ),
            [0],
        ),
    ],
)
def test_dry_run_shows_what_is_done(
    app, fleet, caplog, typed, command, changed
):
    typed('')
    plan = rows(app, *command, DRY)
    shown = ('Action', 'ID', 'Name', 'Reason')
    plan = [{name: row[name] for name in shown} for row in plan]
    assert not fleet.writes
    assert [r['ID'] for r in rows(app, *command, DRY, GO)] == [
        r['ID'] for r in plan
    ]
    # There is no question if nothing is to be done.
    done = rows(app, *command, *([GO] if changed else []))
    assert [{name: row[name] for name in shown} for row in done] == plan
    verb = command[0].verb
    assert [(r['Action'], r['Result'], r['ID']) for r in done] == [
        (verb, 'done', i) if ID.index(i) in changed else ('keep', 'kept', i)
        for i in (row['ID'] for row in plan)
    ]
    assert [ID.index(w.split('/')[2]) for w in fleet.writes] == changed
    assert not errors(caplog)


def test_reasons(app, fleet):
    reasons = {r['ID']: r['Reason'] for r in delete(app, '--all', DRY)}
    assert reasons[ID[0]] == 'server web was booted from it'
    assert reasons[ID[1]] == 'selected'
    assert {r['Reason'] for r in rows(app, *LAST, DRY)} == {
        'no rule keeps it',
        'kept by last',
    }


@pytest.mark.parametrize('command', [DELETE, LAST])
def test_snapshots_of_a_shelved_server_are_kept(app, fleet, command):
    fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'
    got = rows(app, *command, '--include-used', GO)
    kept = {r['ID'] for r in got if r['Result'] == 'kept'}
    assert kept >= {ID[1], ID[2], ID[3]}
    assert ID[4] not in fleet.images


def test_images_and_servers_are_listed_once(app, fleet):
    delete(app, '--unused', '--created-before', day(3), DRY)
    assert fleet.requests == ['GET /images/detail', 'GET /servers/detail']


@pytest.mark.parametrize(
    ('form', 'text'), [('table', ''), ('json', '[]\n'), ('jsonl', '')]
)
@pytest.mark.parametrize('words', [(DRY,), (GO,), ()])
def test_no_image_matches(app, caplog, typed, form, text, words):
    typed('')
    words = ('--name=none', '-f', form, *words)
    assert run(app, DeleteComputeImage, *words) == (0, text)
    assert caplog.messages[-1] == 'No images match'


def test_output_formats(app):
    code, printed = run(app, *DELETE, DRY)
    assert (code, printed[:10]) == (0, '+--------+')
    assert len(printed.splitlines()) == 9
    code, printed = run(app, *DELETE, DRY, '-f', 'yaml')
    assert printed.startswith('- Action: delete\n')
    code, printed = run(app, *DELETE, GO, '-f', 'jsonl')
    assert [json.loads(line)['Result'] for line in printed.splitlines()] == [
        'done'
    ] * 5


def test_columns_are_checked_before_any_change(app, fleet):
    with pytest.raises(exceptions.CommandError, match='choose from Action'):
        run(app, *DELETE, GO, '-c', 'None')
    assert not fleet.writes
    got = rows(app, *DELETE, GO, '-c', 'Result', '-c', 'ID')
    assert got[0] == {'ID': ID[5], 'Result': 'done'}


# --- usage and refusals ---------------------------------------------------


@pytest.mark.parametrize(
    ('command', 'told'),
    [
        ((DeleteComputeImage, GO), 'No images selected'),
        ((DeleteComputeImage, '--include-used'), 'No images selected'),
        ((SetComputeImage, '--property=a=b'), 'No images selected'),
        ((UnsetComputeImage, '--property=a'), 'No images selected'),
        ((PruneComputeImages, '--type=snapshot'), '--keep-'),
        ((SetComputeImage, ID[1]), '--property is required'),
        ((UnsetComputeImage, ID[1]), '--property is required'),
        ((SetComputeImage, '--all'), '--property is required'),
        ((SetComputeImage, '--no-property', '--all'), 'needs one image'),
        *(
            ((DeleteComputeImage, ID[1], option), 'not allowed with')
            for option in (
                *('--type=snapshot', '--not-name=x', '--all'),
                *('--all-regions', '--all-clouds'),
            )
        ),
        (
            (SetComputeImage, ID[1], '--property=a=b', '--with-unused'),
            'not allowed with',
        ),
        (
            (UnsetComputeImage, ID[1], '--property=a', '--without-name=x'),
            'not allowed with',
        ),
        *(
            (command, 'only exclude images need --all')
            for command in (
                (DeleteComputeImage, '--not-name=x'),
                (DeleteComputeImage, '--property=keep!=yes'),
                (SetComputeImage, '--property=a=b', '--without-name-regex=x'),
                (UnsetComputeImage, '--property=a', '--with-property=a!=b'),
            )
        ),
    ],
)
def test_usage_errors(app, fleet, caplog, command, told):
    for words in ((), (GO,), (DRY,)):
        caplog.clear()
        assert run(app, *command, *words) == (2, '')
        [message] = caplog.messages
        assert told in message
    assert not fleet.requests
    if '--all' in told:
        assert acted(app, *command, '--all', DRY)


@pytest.mark.parametrize(
    'command',
    [
        (*LAST, '--keep-last=-1'),
        (*LAST, '--keep-within=3'),
        (*LAST, '--keep-within=999999999y'),
        (*LAST, '--group-by=x'),
        (*DELETE, '--max-changes=0'),
        # Another run would delete other images.
        (*DELETE, '--newest=3'),
        # In "openstack image set", they assign.
        (SetComputeImage, '--name=x', '--property=a=b'),
        (SetComputeImage, '--min-disk=20', '--property=a=b'),
    ],
)
def test_options_that_cannot_be_parsed(app, fleet, capsys, command):
    with pytest.raises(SystemExit) as e:
        run(app, *command, GO)
    assert e.value.code == 2
    assert not fleet.requests


def test_invalid_property_is_rejected_before_any_request(app, fleet):
    with pytest.raises(exceptions.CommandError, match='cannot be set'):
        run(app, SetComputeImage, '--all', '--property=name=x', GO)
    assert not fleet.requests


@pytest.mark.parametrize('words', [(GO,), (DRY,)])
def test_max_changes(app, fleet, caplog, words):
    assert run(app, *DELETE, *words, '--max-changes=4') == (7, '')
    assert errors(caplog) == [
        'Nothing was changed: the plan changes 5 images, and 4 are allowed'
    ]
    assert not fleet.writes
    assert len(rows(app, *DELETE, *words, '--max-changes=5')) == 5


def test_too_many_images_for_a_plan(app, fleet, monkeypatch, caplog):
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 5)
    assert len(rows(app, *DELETE, DRY)) == 5
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 4)
    assert run(app, *DELETE, GO) == (7, '')
    assert 'more than 4 images' in caplog.text
    assert not fleet.writes


# --- approval -------------------------------------------------------------


def test_approval_needs_a_terminal(app, fleet):
    with pytest.raises(exceptions.CommandError, match='no terminal to ask'):
        run(app, *DELETE)
    assert not fleet.requests


@pytest.mark.parametrize('answer', ['', 'n\n', '\n', 'yeah\n', 'n'])
def test_other_answers_change_nothing(app, fleet, typed, answer):
    fleet.images[ID[5]]['name'] = 'a\x1b[2J\nb'
    terminal = typed(answer)
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        run(app, *DELETE)
    shown = terminal.getvalue()
    assert rf'| delete | {ID[5]} | a\x1b[2J\nb ' in shown
    assert '\x1b' not in shown
    end = '' if answer.endswith('\n') else '\n'
    assert shown.endswith(f'Delete 5 images? [y/N] {end}')
    assert app.stdout.getvalue() == ''
    assert not fleet.writes


def test_question_about_one_image(app, typed):
    terminal = typed('n\n')
    flushed = []
    terminal.flush = lambda: flushed.append(terminal.getvalue())
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        run(app, DeleteComputeImage, '--name', 'cirros-5')
    assert flushed[-1].endswith('Delete 1 image? [y/N] ')


@pytest.mark.parametrize('answer', ['y\n', 'yes\n', ' Y \n', 'y'])
def test_approved_plan_is_applied(app, fleet, typed, answer):
    typed(answer)
    assert [r['Result'] for r in rows(app, *DELETE)] == ['done'] * 5
    assert fleet.requests.count('GET /images/detail') == 1


@pytest.fixture
def typed_slowly(typed, slept):
    """Return a function that types the approval after this many seconds."""

    def type_(seconds, meanwhile=lambda: None):
        class Slow(Terminal):
            def readline(self):
                meanwhile()
                time.sleep(seconds)
                return super().readline()

        return typed('y\n', Slow)

    return type_


@pytest.mark.parametrize(('seconds', 'lists'), [(60, 1), (61, 2)])
def test_plan_is_made_again_after_a_minute(
    app, fleet, typed_slowly, seconds, lists
):
    typed_slowly(seconds)
    assert acted(app, *DELETE) == [('delete', n) for n in (5, 4, 3, 2, 1)]
    assert fleet.requests.count('GET /images/detail') == lists


def test_image_that_was_added_meanwhile_is_not_deleted(
    app, fleet, typed_slowly
):
    base = {**fleet.images[ID[5]], 'id': ID[6], 'name': 'new'}
    typed_slowly(61, lambda: fleet.images.update({ID[6]: base}))
    assert len(rows(app, *DELETE)) == 5
    assert {*fleet.images} == {ID[0], ID[6]}


@pytest.mark.parametrize('kind', ['server', 'kernel', 'gone', 'gap'])
def test_plan_that_no_longer_holds_is_refused(
    app, fleet, typed_slowly, caplog, kind
):
    def change():
        if kind == 'server':
            fleet.servers['x'] = server('x', 'x', image=ID[2])
        elif kind == 'kernel':
            fleet.images[ID[0]]['metadata']['kernel_id'] = ID[2]
        elif kind == 'gone':
            del fleet.images[ID[2]]
        else:
            fleet.servers[ID[2]] = {'id': ID[2], 'status': 'UNKNOWN'}

    typed_slowly(61, change)
    assert run(app, *DELETE) == (7, '')
    [message] = errors(caplog)
    assert ID[2] in message
    assert not fleet.writes


# --- application ----------------------------------------------------------


def test_failures_are_reported_and_others_deleted(app, fleet, caplog):
    for n in (1, 4):
        fleet.images[ID[n]]['metadata']['protected_here'] = '1'
    got = rows(app, *DELETE, GO, code=1)
    assert [r['Result'] for r in got] == [
        *('done', 'failed', 'done', 'done', 'failed')
    ]
    first, _second, total = errors(caplog)
    assert first == (
        f'Failed to delete image {ID[4]!r}: You are not allowed to delete the '
        'image. (HTTP 403)'
    )
    assert total == '2 of 5 images failed to delete.'


def test_image_that_was_changed_is_skipped(app, fleet, caplog, typed):
    def change(method, path):
        if (method, path) == ('GET', f'/images/{ID[5]}'):
            fleet.images[ID[5]]['name'] = 'new'

    typed('y\n')
    fleet.before = change
    got = rows(app, *DELETE, code=1)
    reason = "its name changed from 'cirros-5' to 'new'"
    assert (got[0]['Result'], got[0]['Reason']) == ('skipped', reason)
    assert f'Image {ID[5]} was not changed: {reason}' in caplog.text
    assert {*fleet.images} == {ID[0], ID[5]}


def test_image_that_is_gone_is_no_failure(app, fleet, caplog):
    def lose(method, path):
        if (method, path) == ('GET', f'/images/{ID[3]}'):
            fleet.images.pop(ID[3], None)

    fleet.before = lose
    got = rows(app, *DELETE, GO)
    assert [r['Result'] for r in got] == [
        'done',
        'done',
        'gone',
        *['done'] * 2,
    ]
    assert not errors(caplog)


def test_approved_plan_is_applied_after_broken_pipe(app, fleet):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    app.stdout = Closed()
    with pytest.raises(BrokenPipeError):
        run(app, *DELETE, GO, '-f', 'value')
    assert {*fleet.images} == {ID[0]}


@pytest.mark.parametrize('words', [SNAPSHOTS, [ID[1], DRY]])
def test_closed_stdout_is_an_error(app, fleet, words):
    app.stdout = None
    with pytest.raises(exceptions.CommandError, match='stdout is closed'):
        run(app, DeleteComputeImage, *words, GO)
    assert not fleet.requests


@pytest.mark.parametrize(
    ('form', 'is_piped', 'has_bar'),
    [
        ('table', False, True),
        ('json', True, True),
        ('csv', False, False),
        ('csv', True, True),
        ('jsonl', False, False),
    ],
)
def test_bar_is_shown_unless_rows_are_printed_meanwhile(
    app, fleet, monkeypatch, form, is_piped, has_bar
):
    bar = Terminal()
    monkeypatch.setattr(sys, 'stderr', bar)
    monkeypatch.setenv('TERM', 'xterm')
    app.stdout = io.StringIO() if is_piped else Terminal()
    # The last is the oldest: it shows names, and else IDs.
    fleet.images[ID[1]]['name'] = None
    run(app, *DELETE, GO, '-f', form)
    assert ('5/5' in bar.getvalue()) == has_bar
    assert (ID[1] in bar.getvalue()) == has_bar
    assert ID[2] not in bar.getvalue()


# --- properties -----------------------------------------------------------


@pytest.mark.parametrize('visibility', ['shared', 'community'])
@pytest.mark.parametrize(
    'command',
    [
        (SetComputeImage, '--property=os_distro=x'),
        (UnsetComputeImage, '--property=os_distro'),
    ],
)
def test_shared_images_do_not_become_private(app, fleet, command, visibility):
    fleet.images[ID[1]]['metadata']['os_distro'] = 'y'
    fleet.visibility[ID[1]] = visibility
    words = (*command, '--with-name=cirros-0', '--with-name=cirros-1', GO)
    changed, kept = sorted(
        rows(app, *words), key=lambda row: row['Action'] == 'keep'
    )
    assert (changed['ID'], kept['ID']) == (ID[0], ID[1])
    assert f'visibility is {visibility}' in kept['Reason']
    assert '--allow-private' in kept['Reason']
    [done] = [
        r
        for r in rows(app, *words, '--allow-private')
        if r['Action'] != 'keep'
    ]
    assert done['ID'] == ID[1]


def test_image_of_unknown_visibility_is_kept(app, fleet):
    # The server does not support the filter.
    fleet.visibility = dict.fromkeys(fleet.images, 'hidden')
    words = (SetComputeImage, '--all', '--property=a=b')
    for more in ((DRY,), (GO,)):
        got = rows(app, *words, *more)
        assert {r['Action'] for r in got} == {'keep'}
        assert 'visibility is unknown' in got[0]['Reason']
    assert not fleet.writes
    assert len(acted(app, *words, '--allow-private', GO)) == len(fleet.writes)
