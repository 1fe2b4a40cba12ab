# SPDX-License-Identifier: Apache-2.0

"""Changes of images that filters choose, on a model of a cloud."""

import io

from osc_lib import exceptions
import pytest
from rich import progress

from osc_compute_images.output import bounds
from testbed.fleet import server
from tests.unit.running import day
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import Terminal
from tests.unit.running import WEB

DELETE = 'delete --type=snapshot'
LAST = 'prune --keep-last=1'
SET = 'set --property=a=b'


# --- one plan, shown or applied -------------------------------------------


@pytest.mark.parametrize(
    ('command', 'changed'),
    [
        ('delete --all', [5, 4, 3, 2, 1]),
        ('delete --all --include-used', [5, 4, 3, 2, 1, 0]),
        ('delete --unused --include-used', [5, 4, 3, 2, 1]),
        (f'{DELETE} --created-before={day(3)}', [2, 1]),
        (LAST, [4, 2, 1]),
        ('prune --keep-last=0', []),
        (f'{LAST} --group-by=type --type=all', [4, 3, 2, 1]),
        (f'{SET} --all', [5, 4, 3, 2, 1, 0]),
        ('unset --with-property=os_distro --property=os_distro', [0]),
    ],
)
def test_dry_run_shows_what_is_done(
    app, fleet, caplog, typed, command, changed
):
    typed()
    plan = app.rows(command, DRY)
    assert app.acted(command, DRY, GO) == app.acted(command, DRY)
    assert not fleet.writes
    # There is no question if nothing is to be done.
    done = app.rows(command, *([GO] if changed else []))
    for name in ('Action', 'ID', 'Name', 'Reason'):
        assert [row[name] for row in done] == [row[name] for row in plan]
    verb = command.split()[0].replace('prune', 'delete')
    assert [(r['Action'], r['Result'], r['ID']) for r in done] == [
        (verb, 'done', i) if ID.index(i) in changed else ('keep', 'kept', i)
        for i in (row['ID'] for row in plan)
    ]
    assert [ID.index(w.split('/')[2]) for w in fleet.writes] == changed
    assert not errors(caplog)


def test_images_and_servers_are_listed_once(app, fleet):
    app.rows(DELETE, '--unused', f'--created-before={day(3)}', DRY)
    assert fleet.requests == ['GET /images/detail', 'GET /servers/detail']


@pytest.mark.parametrize('words', [(DRY,), ()])
def test_no_image_matches(app, caplog, typed, words):
    typed()
    for form, text in (('table', ''), ('json', '[]\n'), ('jsonl', '')):
        assert app.run('delete --name=none -f', form, *words) == (0, text)
        assert caplog.messages[-1] == 'No images match'
    _code, text = app.run('delete --name=none --print-empty', *words)
    assert text.splitlines()[1].startswith('| Action | ID ')


def test_columns_are_checked_before_any_change(app, fleet):
    with pytest.raises(exceptions.CommandError, match='choose from Action'):
        app.run(DELETE, GO, '-c', 'None')
    assert not fleet.writes
    got = app.rows(DELETE, GO, '-c', 'Result', '-c', 'ID')
    assert got[0] == {'ID': ID[5], 'Result': 'done'}


@pytest.mark.parametrize('word', [GO, DRY])
def test_too_many_images_to_change(app, fleet, monkeypatch, caplog, word):
    assert app.run(DELETE, word, '--max-changes=4') == (7, '')
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 4)
    assert app.run(DELETE, word) == (7, '')
    few, many = errors(caplog)
    assert 'the plan changes 5 images, and 4 are allowed' in few
    assert 'more than 4 images' in many
    assert not fleet.writes
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 5)
    assert len(app.rows(DELETE, word, '--max-changes=5')) == 5


# --- approval -------------------------------------------------------------


@pytest.mark.parametrize('answer', ['', '\n', 'yeah\n', 'n'])
def test_other_answers_change_nothing(app, fleet, typed, answer):
    fleet.images[ID[5]]['name'] = 'a\x1b[2J\nb'
    terminal = typed(answer)
    flushed = []
    terminal.flush = lambda: flushed.append(terminal.getvalue())
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        app.run(DELETE)
    shown = terminal.getvalue()
    assert rf'| delete | {ID[5]} | a\x1b[2J\nb ' in shown
    assert '\x1b' not in shown
    assert flushed[-1].endswith('Delete 5 images? [y/N] ')
    assert shown.endswith('] ' if answer.endswith('\n') else '] \n')
    assert app.stdout.getvalue() == ''
    assert not fleet.writes


@pytest.mark.parametrize('answer', ['y\n', 'yes\n', ' Y \n', 'y'])
def test_approved_plan_is_applied(app, fleet, typed, answer):
    terminal = typed(answer)
    assert app.acted('delete --name=cirros-5') == [('delete', 5)]
    assert 'Delete 1 image? [y/N] ' in terminal.getvalue()
    assert fleet.requests.count('GET /images/detail') == 1


@pytest.mark.parametrize(('seconds', 'lists'), [(60, 1), (61, 2)])
def test_plan_is_made_again_after_a_minute(
    app, fleet, typed_slowly, seconds, lists
):
    # An image that was added meanwhile is not deleted.
    new = {**fleet.images[ID[5]], 'id': ID[6], 'name': 'new'}
    typed_slowly(seconds, lambda: fleet.images.update({ID[6]: new}))
    assert app.acted(DELETE) == [('delete', n) for n in (5, 4, 3, 2, 1)]
    assert fleet.requests.count('GET /images/detail') == lists
    assert {*fleet.images} == {ID[0], ID[6]}


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        (lambda f: f.servers.update(x=server('x', image=ID[2])), ID[2]),
        (lambda f: f.images.pop(ID[2]), ID[2]),
        (lambda f: f.down.add(WEB), WEB),
    ],
    ids=['server', 'gone', 'gap'],
)
def test_plan_that_no_longer_holds_is_refused(
    app, fleet, typed_slowly, caplog, change, named
):
    typed_slowly(61, lambda: change(fleet))
    assert app.run(DELETE) == (7, '')
    [message] = errors(caplog)
    assert named in message
    assert not fleet.writes


# --- application ----------------------------------------------------------


def test_approved_plan_is_applied_after_broken_pipe(app, fleet, caplog):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    app.stdout = Closed()
    with pytest.raises(BrokenPipeError):
        app.run(DELETE, GO, '-f', 'value')
    assert {*fleet.images} == {ID[0]}
    assert caplog.messages[-1].startswith('5 images deleted ')


@pytest.mark.parametrize('command', [DELETE, f'delete {ID[1]} {DRY}'])
def test_closed_stdout_is_an_error(app, fleet, command):
    app.stdout = None
    with pytest.raises(exceptions.CommandError, match='stdout is closed'):
        app.run(command, GO)
    assert not fleet.requests


@pytest.mark.parametrize(
    ('form', 'is_piped', 'name', 'shown'),
    [
        ('table', False, None, ID[1]),
        ('csv', False, 'web', ''),
        ('csv', True, 'web', 'web'),
    ],
)
def test_bar_is_shown_unless_rows_are_printed_meanwhile(
    app, fleet, typed, form, is_piped, name, shown
):
    bar = typed()
    app.stdout = io.StringIO() if is_piped else Terminal()
    # The last is the oldest: it shows names, and else IDs.
    fleet.images[ID[1]]['name'] = name
    app.run(DELETE, GO, '-f', form)
    assert ('5/5' in bar.getvalue()) == bool(shown)
    assert shown in bar.getvalue()
    assert (ID[1] in bar.getvalue()) == (shown == ID[1])


def test_bar_is_hidden_while_an_error_is_logged(
    app, fleet, typed, monkeypatch, caplog
):
    typed()
    logged = []

    def note(function):
        return lambda bar: logged.append(len(errors(caplog))) or function(bar)

    for name in ('start', 'stop'):
        function = getattr(progress.Progress, name)
        monkeypatch.setattr(progress.Progress, name, note(function))
    fleet.images[ID[2]]['metadata']['protected_here'] = 'yes'
    app.rows(DELETE, GO, code=1)
    # It starts, stops before the error, starts after it, and ends.
    assert logged == [0, 0, 1, 1]


def test_images_do_not_become_private(app, fleet):
    fleet.visibility[ID[1]] = 'community'
    command = f'{SET} --with-name=cirros-0 --with-name=cirros-1 {GO}'
    assert app.acted(command) == [('keep', 1), ('set', 0)]
    assert ID[0] in fleet.writes[0]
    assert app.acted(command, '--allow-private')[0] == ('set', 1)
    # The server does not support the filter.
    fleet.visibility = dict.fromkeys(fleet.images, 'hidden')
    got = app.rows('set --all --property=c=d', GO)
    assert {r['Action'] for r in got} == {'keep'}
    assert 'its visibility is unknown' in got[0]['Reason']
    assert len(fleet.writes) == 2
