# SPDX-License-Identifier: Apache-2.0

"""The commands that plan and apply changes, on a model of a cloud."""

import csv
import io
import itertools
import json
import sys

from osc_lib import exceptions
import pytest

from osc_compute_images.api import PlanRefused
from osc_compute_images.commands import _gathering
from osc_compute_images.commands import _planning
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.conftest import set_catalog
from tests.unit.test_commands import App
from tests.unit.test_commands import run

ID = [nova.image_id(n) for n in range(10)]
WEB = 'b0a2f2d4-0000-4000-8000-000000000001'
DB = 'b0a2f2d4-0000-4000-8000-000000000002'
BOOTED = 'server web was booted from it'
SNAPSHOTS = ['--type', 'snapshot']
GO = '--auto-approve'


def day(number):
    return f'2025-11-{number:02}T12:00:00Z'


def images():
    return [
        nova.image(0, created='2025-10-01T12:00:00Z'),
        *(snapshot(n, WEB, created=day(n)) for n in (1, 2, 3)),
        *(snapshot(n, DB, created=day(n)) for n in (4, 5)),
    ]


@pytest.fixture
def fleet(http):
    """Serve snapshots of two servers, and the image that one booted from."""
    return Fleet(
        images(), [server(WEB, 'web', image=ID[0]), server(DB, 'db')]
    ).serve(http)


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path)


class Terminal(io.StringIO):
    """A terminal, with the input of its user."""

    def isatty(self):
        return True


@pytest.fixture
def typed(monkeypatch):
    """Return a function that makes a terminal with this input."""

    def type_(text):
        monkeypatch.setattr(sys, 'stdin', Terminal(text))
        terminal = Terminal()
        monkeypatch.setattr(sys, 'stderr', terminal)
        return terminal

    return type_


def rows(app, kind, *words, code=0):
    got, printed = run(app, kind, '-f', 'json', *words)
    assert got == code
    return json.loads(printed)


def delete(app, *words, code=0):
    return rows(app, DeleteComputeImage, *words, code=code)


def test_dry_run_shows_plan_and_changes_nothing(app, fleet):
    assert delete(app, '--all', '--dry-run') == [
        *(
            {
                'Action': 'delete',
                'ID': ID[n],
                'Name': f'cirros-{n}',
                'Reason': 'chosen',
            }
            for n in (5, 4, 3, 2, 1)
        ),
        {
            'Action': 'keep',
            'ID': ID[0],
            'Name': 'cirros-0',
            'Reason': BOOTED,
        },
    ]
    assert fleet.requests == ['GET /images/detail', 'GET /servers/detail']
    assert len(delete(app, '--all', '--dry-run', GO)) == 6
    assert not fleet.writes


def test_delete_by_filters(app, fleet, caplog):
    assert delete(app, *SNAPSHOTS, '--created-before', day(3), GO) == [
        {
            'Action': 'delete',
            'ID': ID[n],
            'Name': f'cirros-{n}',
            'Result': 'done',
            'Reason': 'chosen',
        }
        for n in (2, 1)
    ]
    assert fleet.writes == [f'DELETE /images/{ID[n]}' for n in (2, 1)]
    # The same command again deletes nothing.
    assert delete(app, *SNAPSHOTS, '--created-before', day(3), GO) == []
    assert not caplog.records


def test_delete_lists_images_once(app, fleet):
    delete(app, '--unused', '--not-name', 'cirros-1', GO)
    assert fleet.requests.count('GET /images/detail') == 1
    assert {*fleet.images} == {ID[0], ID[1]}


def test_include_used(app, fleet):
    fleet.servers[DB] |= {
        'status': 'SHELVED_OFFLOADED',
        'image': {'id': ID[0]},
    }
    got = delete(app, '--all', '--include-used', GO)
    assert {r['Reason'] for r in got if r['Action'] == 'keep'} == {
        'shelved server db may be stored in it'
    }
    assert {*fleet.images} == {ID[4], ID[5]}


@pytest.mark.parametrize(
    ('kind', 'words'),
    [
        (DeleteComputeImage, []),
        (DeleteComputeImage, [GO]),
        (DeleteComputeImage, ['--include-used', GO]),
        (SetComputeImage, ['--property', 'a=b', GO]),
        (UnsetComputeImage, ['--property', 'a', '--dry-run']),
    ],
)
def test_no_images_and_no_filters_is_refused(app, fleet, caplog, kind, words):
    assert run(app, kind, *words) == (_planning.EXIT_REFUSED, '')
    assert 'No images selected' in caplog.text
    assert not fleet.requests


@pytest.mark.parametrize(
    ('kind', 'words'),
    [
        (DeleteComputeImage, ['--not-name', 'x']),
        (DeleteComputeImage, ['--property', 'keep!=yes']),
        (SetComputeImage, ['--property', 'a=b', '--not-name-regex', 'x']),
        (UnsetComputeImage, ['--property=a', '--with-property=a!=b']),
    ],
)
def test_exclusions_alone_need_all(app, fleet, caplog, kind, words):
    assert run(app, kind, *words, GO) == (_planning.EXIT_REFUSED, '')
    assert 'only exclude images; add --all' in caplog.text
    assert not fleet.requests
    code, printed = run(app, kind, *words, '--all', '--dry-run')
    assert code == 0
    assert ID[1] in printed


@pytest.mark.parametrize('words', [SNAPSHOTS, ['--all']])
def test_approval_is_required(app, fleet, words):
    with pytest.raises(exceptions.CommandError, match='no terminal to ask'):
        run(app, DeleteComputeImage, *words)
    assert not fleet.requests


@pytest.mark.parametrize('answer', ['', 'n\n', 'no\n', '\n', 'yeah\n', ' '])
def test_other_replies_change_nothing(app, fleet, typed, answer):
    terminal = typed(answer)
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        run(app, DeleteComputeImage, *SNAPSHOTS)
    assert 'Delete 5 images? [y/N]' in terminal.getvalue()
    assert '| delete | ' + ID[5] in terminal.getvalue()
    assert app.stdout.getvalue() == ''
    assert not fleet.writes


def test_question_ends_where_the_answer_begins(app, fleet, typed):
    for answer, end in [
        ('n\n', '[y/N] '),
        ('n', '[y/N] \n'),
        ('', '[y/N] \n'),
    ]:
        terminal = typed(answer)
        flushed = []
        terminal.flush = lambda t=terminal, f=flushed: f.append(t.getvalue())
        with pytest.raises(exceptions.CommandError, match='nothing was'):
            run(app, DeleteComputeImage, *SNAPSHOTS)
        assert terminal.getvalue().endswith(f' images? {end}')
        assert flushed[-1].endswith('[y/N] ')


def test_plan_on_a_terminal_has_no_control_characters(app, fleet, typed):
    fleet.images[ID[5]]['name'] = 'a\x1b[2J\nb'
    terminal = typed('n\n')
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        run(app, DeleteComputeImage, *SNAPSHOTS)
    assert '\x1b' not in terminal.getvalue()
    assert r'| a\x1b[2J\nb ' in terminal.getvalue()


def test_question_about_a_single_image(app, typed):
    terminal = typed('n\n')
    with pytest.raises(exceptions.CommandError, match='nothing was changed'):
        run(app, DeleteComputeImage, '--name', 'cirros-5')
    assert 'Delete 1 image? [y/N]' in terminal.getvalue()


@pytest.mark.parametrize('answer', ['y\n', 'yes\n', ' Y \n', 'y'])
def test_stdout_has_only_results_after_approval(app, fleet, typed, answer):
    typed(answer)
    got = delete(app, *SNAPSHOTS)
    assert [row['Result'] for row in got] == ['done'] * 5
    assert len(fleet.writes) == 5


@pytest.mark.parametrize(
    ('form', 'is_piped', 'has_bar'),
    [
        ('table', False, True),
        ('table', True, True),
        ('json', False, True),
        ('csv', False, False),
        ('csv', True, True),
        ('jsonl', False, False),
    ],
)
def test_bar_is_shown_unless_rows_are_printed_meanwhile(
    app, monkeypatch, form, is_piped, has_bar
):
    bar = Terminal()
    monkeypatch.setattr(sys, 'stderr', bar)
    monkeypatch.setenv('TERM', 'xterm')
    app.stdout = io.StringIO() if is_piped else Terminal()
    run(app, DeleteComputeImage, GO, '-f', form, *SNAPSHOTS)
    assert ('5/5' in bar.getvalue()) == has_bar


def test_bar_shows_name_or_id(app, fleet, monkeypatch):
    bar = Terminal()
    monkeypatch.setattr(sys, 'stderr', bar)
    monkeypatch.setenv('TERM', 'xterm')
    fleet.images[ID[1]]['name'] = None
    run(app, DeleteComputeImage, GO, *SNAPSHOTS)
    # The last is the oldest.
    assert ID[1] in bar.getvalue()
    assert ID[2] not in bar.getvalue()


def test_empty_plan_needs_no_approval(app, fleet, typed):
    terminal = typed('')
    assert delete(app, '--name', 'none') == []
    (kept,) = delete(app, '--name', 'cirros-0')
    assert kept['Result'] == 'kept'
    assert terminal.getvalue() == ''


def test_number_of_images_of_a_plan_is_limited(
    app, fleet, caplog, monkeypatch
):
    monkeypatch.setattr(_gathering, 'MAX_GATHERED', 6)
    assert len(delete(app, '--all', '--dry-run')) == 6
    monkeypatch.setattr(_gathering, 'MAX_GATHERED', 5)
    assert run(app, DeleteComputeImage, '--all', GO) == (7, '')
    assert 'There are more than 5 images' in caplog.text
    assert not fleet.writes
    with pytest.raises(PlanRefused):
        _planning.load_all(itertools.repeat([None, None]))


def test_max_items_refuses_larger_plan(app, fleet, caplog):
    words = [*SNAPSHOTS, GO, '--max-items']
    assert run(app, DeleteComputeImage, *words, '4') == (7, '')
    assert 'changes 5 images, and 4 are allowed' in caplog.text
    assert not fleet.writes
    assert len(delete(app, *words, '5')) == 5


@pytest.mark.parametrize(
    ('kind', 'words'),
    [
        (DeleteComputeImage, [ID[1], '--type', 'snapshot']),
        (DeleteComputeImage, [ID[1], '--all']),
        (DeleteComputeImage, [ID[1], '--not-name', 'x']),
        (DeleteComputeImage, [ID[1], '--all-regions']),
        (DeleteComputeImage, [ID[1], '--all-clouds']),
        (DeleteComputeImage, [ID[1], '--max-items', '3']),
        (SetComputeImage, [ID[1], '--property', 'a=b', '--unused']),
        (SetComputeImage, ['--no-property', '--all']),
        (SetComputeImage, [ID[1], '--no-property', '--dry-run']),
        (SetComputeImage, ['--all', GO]),
        (UnsetComputeImage, [ID[1], '--with-property', 'a']),
        (UnsetComputeImage, ['--all', GO]),
        (PruneComputeImages, ['--type', 'snapshot', GO]),
        (PruneComputeImages, ['--keep-last', '-1', GO]),
        (PruneComputeImages, ['--keep-within', '3', GO]),
        (PruneComputeImages, ['--keep-within', '999999999y', GO]),
        (PruneComputeImages, ['--keep-last', '1', '--group-by', 'x', GO]),
        # Another run would delete other images.
        (DeleteComputeImage, ['--newest', '3', GO]),
    ],
)
def test_invalid_combinations_of_options(app, fleet, capsys, kind, words):
    with pytest.raises(SystemExit) as e:
        run(app, kind, *words)
    assert e.value.code == 2
    assert 'error: ' in capsys.readouterr().err
    assert not fleet.requests


def test_delete_by_name_prints_nothing(app, fleet):
    assert run(app, DeleteComputeImage, ID[0], 'cirros-1') == (0, '')
    assert {*fleet.images} == {*ID[2:6]}


def test_dry_run_with_names(app, fleet):
    got = delete(app, ID[0], 'cirros-2', 'cirros-1', ID[1], '--dry-run')
    assert [(r['Action'], r['ID'], r['Reason']) for r in got] == [
        ('delete', ID[0], 'named'),
        ('delete', ID[2], 'chosen'),
        ('delete', ID[1], 'named'),
    ]
    (kept,) = delete(app, 'cirros-0', '--dry-run')
    assert (kept['Action'], kept['Reason']) == ('keep', BOOTED)
    got = rows(app, SetComputeImage, ID[0], '--property', 'a=b', '--dry-run')
    assert [(r['Action'], r['ID']) for r in got] == [('set', ID[0])]
    assert not fleet.writes
    with pytest.raises(exceptions.CommandError, match='No image'):
        run(app, DeleteComputeImage, 'none', '--dry-run')


ANYWAY = 'To delete it anyway, give its ID'


def shelve_web(fleet):
    fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'
    fleet.images[ID[3]]['name'] = 'web-shelved'


def need_a_kernel(fleet):
    fleet.images[ID[4]]['metadata']['kernel_id'] = ID[3]


@pytest.mark.parametrize(
    ('change', 'name', 'reason'),
    [
        (lambda _fleet: None, 'cirros-0', BOOTED),
        (shelve_web, 'web-shelved', 'shelved server web may be stored in it'),
        (
            need_a_kernel,
            'cirros-3',
            'it is the kernel or ramdisk of image cirros-4',
        ),
        (
            lambda fleet: fleet.images[ID[3]].update(status='SAVING'),
            'cirros-3',
            'it is SAVING',
        ),
    ],
)
def test_image_in_use_is_not_deleted_by_name(
    app, fleet, caplog, change, name, reason
):
    change(fleet)
    with pytest.raises(exceptions.CommandError, match='1 of 3 images'):
        run(app, DeleteComputeImage, 'cirros-5', name, 'cirros-1')
    assert caplog.messages == [
        f'Failed to delete image {name!r}: {reason}. {ANYWAY}'
    ]
    assert {*fleet.images} == {ID[0], *ID[2:5]}
    image_id = next(i for i, v in fleet.images.items() if v['name'] == name)
    assert run(app, DeleteComputeImage, image_id.upper()) == (0, '')
    assert image_id not in fleet.images


def test_include_used_with_names(app, fleet):
    shelve_web(fleet)
    fleet.servers[DB] |= {'image': {'id': ID[3]}}
    words = ('--include-used', 'cirros-0', 'web-shelved')
    with pytest.raises(exceptions.CommandError, match='1 of 2 images'):
        run(app, DeleteComputeImage, *words)
    assert {*fleet.images} == {*ID[1:6]}


def test_delete_by_id_takes_two_requests(app, fleet):
    run(app, DeleteComputeImage, ID[0])
    assert fleet.requests == [
        f'{m} /images/{ID[0]}' for m in ('GET', 'DELETE')
    ]


def test_image_changed_before_deletion_is_reported(app, fleet, caplog):
    def boot(method, path):
        if (method, path) == ('GET', f'/images/{ID[5]}'):
            fleet.images[ID[5]]['status'] = 'ERROR'

    fleet.before = boot
    with pytest.raises(exceptions.CommandError, match='1 of 1 images'):
        run(app, DeleteComputeImage, 'cirros-5')
    assert caplog.messages == [
        (
            "Failed to delete image 'cirros-5': its status changed "
            "from 'ACTIVE' to 'ERROR'"
        )
    ]
    assert not fleet.writes


def test_nothing_is_deleted_by_name_if_use_is_unknown(
    app, fleet, caplog, slept
):
    def fail(_method, path):
        if path.startswith('/servers'):
            raise OSError('down')

    fleet.before = fail
    with pytest.raises(exceptions.CommandError, match='2 of 2 images'):
        run(app, DeleteComputeImage, 'cirros-5', 'cirros-4')
    assert 'down' in caplog.messages[-1]
    assert not fleet.writes


def test_failures_are_reported_and_others_deleted(app, fleet, caplog):
    fleet.images[ID[4]]['metadata']['protected_here'] = '1'
    got = delete(app, *SNAPSHOTS, GO, code=1)
    assert [r['Result'] for r in got] == [
        *('done', 'failed', 'done', 'done', 'done')
    ]
    assert caplog.messages == [
        (
            f'Failed to delete image {ID[4]}: You are not allowed to delete '
            f'the image. (HTTP 403)'
        ),
        '1 of 5 images failed to delete.',
    ]


def test_every_failure_is_counted(app, fleet, caplog):
    for n in (1, 3, 4):
        fleet.images[ID[n]]['metadata']['protected_here'] = '1'
    delete(app, *SNAPSHOTS, GO, code=1)
    assert caplog.messages[-1] == '3 of 5 images failed to delete.'


def test_changed_image_is_reported_and_skipped(app, fleet, caplog, typed):
    typed('y\n')

    def change(method, _path):
        if method == 'GET' and _path == f'/images/{ID[5]}':
            fleet.images[ID[5]]['name'] = 'new'

    fleet.before = change
    got = delete(app, *SNAPSHOTS, code=1)
    assert got[0]['Result'] == 'changed'
    assert got[0]['Reason'] == "its name changed from 'cirros-5' to 'new'"
    assert f'Image {ID[5]} was not changed: its name changed' in caplog.text
    assert {*fleet.images} == {ID[0], ID[5]}


def test_approved_plan_is_applied_after_broken_pipe(app, fleet):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    app.stdout = Closed()
    with pytest.raises(BrokenPipeError):
        run(app, DeleteComputeImage, '-f', 'value', *SNAPSHOTS, GO)
    assert {*fleet.images} == {ID[0]}


def test_columns_are_checked_before_any_change(app, fleet):
    with pytest.raises(exceptions.CommandError, match='choose from Action'):
        run(app, DeleteComputeImage, *SNAPSHOTS, GO, '-c', 'None')
    assert not fleet.writes
    got = delete(app, *SNAPSHOTS, GO, '-c', 'Result', '-c', 'ID')
    assert got[0] == {'ID': ID[5], 'Result': 'done'}


@pytest.mark.parametrize('words', [SNAPSHOTS, [ID[1], '--dry-run']])
def test_closed_stdout_is_an_error(app, fleet, words):
    app.stdout = None
    with pytest.raises(exceptions.CommandError, match='stdout is closed'):
        run_closed(app, *words, GO)
    assert not fleet.writes


def run_closed(app, *words):
    command = DeleteComputeImage(app, None)
    return command.run(command.get_parser('x').parse_args(list(words)))


def test_delete_by_name_needs_no_stdout(app, fleet):
    app.stdout = None
    assert run_closed(app, ID[1]) == 0
    assert ID[1] not in fleet.images


def test_interrupt_counts_changes_alone(app, fleet, caplog):
    def interrupt(method, path):
        if method == 'DELETE' and path.endswith(ID[3]):
            raise KeyboardInterrupt

    fleet.servers[WEB] |= {'image': {'id': ID[5]}}
    fleet.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(app, DeleteComputeImage, *SNAPSHOTS, GO)
    assert 'Stopped after 1 of 4 images' in caplog.text


def test_interrupt_reports_progress(app, fleet, caplog):
    def interrupt(method, path):
        if method == 'DELETE' and path.endswith(ID[3]):
            raise KeyboardInterrupt

    fleet.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(app, DeleteComputeImage, *SNAPSHOTS, GO)
    assert 'Stopped after 2 of 5 images' in caplog.text
    fleet.before = lambda _method, _path: None
    assert len(delete(app, *SNAPSHOTS, GO)) == 3


def prune(app, *words, code=0):
    return rows(app, PruneComputeImages, *words, code=code)


def test_prune_keeps_what_rules_keep(app, fleet):
    got = prune(app, '--keep-last', '1', '--dry-run')
    assert [(r['Action'], r['ID'], r['Reason']) for r in got] == [
        ('keep', ID[5], 'kept by last'),
        ('delete', ID[4], 'no rule keeps it'),
        ('keep', ID[3], 'kept by last'),
        ('delete', ID[2], 'no rule keeps it'),
        ('delete', ID[1], 'no rule keeps it'),
    ]
    got = prune(app, '--keep-within', '25h', GO)
    assert [r['Result'] for r in got] == [*('kept',) * 4, 'done']
    assert ID[1] not in fleet.images
    got = prune(app, '--keep-last', '1', '--group-by', 'type', GO)
    assert [*fleet.images] == [ID[0], ID[5]]
    got = prune(app, '--keep-last', '0', '--group-by', 'type', GO)
    assert [r['Result'] for r in got] == ['kept']


def test_prune_with_filters(app, fleet):
    got = prune(
        app, '--keep-last', '1', '--group-by', 'name', '--type', 'all',
        '--dry-run',
    )  # fmt: skip
    assert len(got) == 6
    got = prune(app, '--keep-last', '0', '--server', DB, '--dry-run')
    assert [r['ID'] for r in got] == [ID[5], ID[4]]
    got = prune(
        app, '--keep-last', '1', '--created-before', day(3), '--dry-run'
    )
    assert [r['ID'] for r in got] == [ID[2], ID[1]]


def test_prune_never_deletes_snapshot_of_shelved_server(app, fleet):
    fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'
    words = ['--keep-last', '1', '--include-used', GO]
    got = prune(app, *words)
    assert {r['ID'] for r in got if r['Result'] == 'done'} == {ID[4]}
    assert {*fleet.images} == {*ID[0:4], ID[5]}


def test_set_and_unset_by_filters(app, fleet):
    words = ['--name-pattern', 'cirros-[0-2]', '--property', 'tier=gold', GO]
    got = rows(app, SetComputeImage, *words)
    assert [(r['Action'], r['Result']) for r in got] == [('set', 'done')] * 3
    got = rows(
        app, UnsetComputeImage, '--with-property', 'tier=gold', '--not-name',
        'cirros-1', '--property', 'tier', GO,
    )  # fmt: skip
    assert [(r['Action'], r['Result']) for r in got] == [('unset', 'done')] * 2
    assert [
        i['id'] for i in fleet.images.values() if 'tier' in i['metadata']
    ] == [ID[1]]
    got = rows(app, SetComputeImage, *words)
    assert sorted(r['Result'] for r in got) == ['done', 'done', 'kept']


@pytest.mark.parametrize('visibility', ['shared', 'community'])
def test_shared_images_do_not_become_private(app, fleet, visibility):
    fleet.visibility[ID[1]] = visibility
    words = ['--all', '--property', 'tier=gold', GO]
    got = rows(app, SetComputeImage, *words)
    kept = [(r['ID'], r['Reason']) for r in got if r['Result'] == 'kept']
    assert kept == [
        (
            ID[1],
            (
                f'its visibility is {visibility}, and a change would make it '
                f'private: allow that with --allow-private'
            ),
        )
    ]
    got = rows(app, UnsetComputeImage, '--all', '--property', 'os_distro', GO)
    assert ID[0] in {r['ID'] for r in got if r['Result'] == 'done'}
    got = rows(app, SetComputeImage, *words, '--allow-private')
    assert [r['ID'] for r in got if r['Result'] == 'done'] == [ID[1]]


def test_image_of_unknown_visibility_is_kept(app, fleet):
    # The server does not support the filter.
    fleet.visibility = dict.fromkeys(fleet.images, 'hidden')
    words = ['--all', '--property', 'tier=gold', GO]
    got = rows(app, SetComputeImage, *words)
    assert {r['Result'] for r in got} == {'kept'}
    assert 'visibility is unknown' in got[0]['Reason']
    assert not fleet.writes


def test_concurrent_changes_are_reported(app, fleet, caplog):
    def change(method, _path):
        if method == 'POST':
            fleet.images[ID[0]]['metadata']['the\x1birs'] = '1'

    fleet.before = change
    assert run(app, SetComputeImage, ID[0], '--property', 'a=b') == (0, '')
    assert caplog.messages == [
        'Properties changed by others at the same time: the\\x1birs'
    ]


def test_invalid_property_is_rejected_before_any_request(app, fleet):
    with pytest.raises(exceptions.CommandError, match='cannot be set'):
        run(app, SetComputeImage, '--all', '--property', 'name=x', GO)
    assert not fleet.requests


def test_too_many_images_for_a_plan(app, fleet, monkeypatch, caplog):
    monkeypatch.setattr(_gathering, 'MAX_GATHERED', 5)
    assert run(app, DeleteComputeImage, '--all', GO) == (7, '')
    assert 'more than 5 images' in caplog.text
    assert not fleet.writes


OTHER = 'http://nova2.example.com:8774/v2.1'


@pytest.fixture
def both(fleet, http):
    """Serve a second region."""
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': OTHER})
    return Fleet(images(), []).serve(http, OTHER)


def test_results_have_region_column(app, fleet, both):
    got = delete(app, *SNAPSHOTS, '--all-regions', GO)
    assert [r['Region'] for r in got] == [
        *['RegionOne'] * 5,
        *['RegionTwo'] * 5,
    ]
    assert {*fleet.images} == {*both.images} == {ID[0]}


def test_max_items_applies_to_all_regions_together(app, fleet, both, caplog):
    words = [*SNAPSHOTS, '--all-regions', GO, '--max-items', '9']
    assert run(app, DeleteComputeImage, *words)[0] == 7
    assert not fleet.writes
    assert not both.writes


def test_failed_region_is_reported_and_others_continue(
    app, fleet, both, caplog, slept
):
    def fail(_method, _path):
        raise OSError('down')

    both.before = fail
    got = delete(app, *SNAPSHOTS, '--all-regions', GO, code=1)
    assert [r['Region'] for r in got] == ['RegionOne'] * 5
    assert 'Region RegionTwo: ' in caplog.text


def test_failures_name_region(app, fleet, both, caplog):
    both.images[ID[4]]['metadata']['protected_here'] = '1'
    delete(app, *SNAPSHOTS, '--all-regions', GO, code=1)
    assert caplog.messages[0].startswith(
        f'Region RegionTwo: Failed to delete image {ID[4]}: '
    )


def test_output_formats(app, fleet):
    code, printed = run(
        app, DeleteComputeImage, *SNAPSHOTS, '--dry-run', '-f', 'csv'
    )
    assert code == 0
    got = [*csv.DictReader(io.StringIO(printed))]
    assert [r['ID'] for r in got] == [ID[n] for n in (5, 4, 3, 2, 1)]
    _code, printed = run(
        app, DeleteComputeImage, *SNAPSHOTS, '--dry-run', '-f', 'yaml'
    )
    assert printed.startswith('- Action: delete\n')
    _code, printed = run(app, DeleteComputeImage, *SNAPSHOTS, '--dry-run')
    assert printed.startswith('+--------+')
    code, printed = run(app, DeleteComputeImage, *SNAPSHOTS, GO, '-f', 'jsonl')
    assert [json.loads(line)['Result'] for line in printed.splitlines()] == [
        'done'
    ] * 5
