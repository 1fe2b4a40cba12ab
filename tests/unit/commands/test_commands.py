# SPDX-License-Identifier: Apache-2.0

"""The commands, from the parser to mocked HTTP."""

import argparse
import io
import sys
import threading
import types

from cliff import command as cliff_command
from cliff import hooks
from osc_lib import exceptions
import pytest

from osc_compute_images.output import bounds
from testbed import nova
from testbed.fleet import Fleet
from tests.unit.conftest import sent
from tests.unit.running import COMMANDS
from tests.unit.running import new_fleet
from tests.unit.running import Terminal
from tests.unit.running import TWO

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
FORBIDDEN = nova.fault(403, 'forbidden', 'No.')
BROKEN = nova.fault(500, 'computeFault', 'Oh.')


def numbers(http, count):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(count))))


# --- list -----------------------------------------------------------------


@pytest.mark.parametrize(
    ('words', 'count', 'limits'),
    [
        ('--limit 1500', 1500, [1000, 1000]),
        (f'--limit {10**30}', 2500, [1000, 1000, 1000]),
        ('--max-items 7 --limit 3', 7, [3, 3, 3]),
        ('--max-items 3 --name-pattern *', 3, [1000]),
        ('--limit 3 --type all', 3, [3]),
    ],
)
def test_limit_and_max_items(app, http, words, count, limits):
    numbers(http, 2500)
    assert len(app.rows('list', *words.split())) == count
    asked = [int(r.qs['limit'][0]) for r in http.request_history[1:]]
    assert asked == limits


@pytest.mark.parametrize(
    ('marker', 'requests'), [(ID, 1), (ID.upper(), 3), ('cirros-1', 2)]
)
def test_marker_is_an_id_or_a_name(app, http, marker, requests):
    numbers(http, 4)
    # In upper case, then in lower case.
    http.get(ONE, [nova.NOT_FOUND, {'json': {'image': nova.image(1)}}])
    got = app.rows('list', '--marker', marker)
    assert [row['ID'] for row in got] == [nova.image_id(n) for n in (2, 3)]
    assert len(sent(http)) == requests


def test_rows_are_written_before_next_page_is_requested(app, http):
    server = nova.Server(nova.images(*range(4)))
    seen = []

    def answer(request, context):
        seen.append(app.stdout.getvalue().count('\n'))
        return server(request, context)

    http.get(nova.DETAIL, json=answer)
    app.run('list -f value --limit 2 --max-items 10')
    assert seen == [0, 2, 4]


@pytest.mark.parametrize(
    ('line', 'there_are', 'listed'),
    [
        ('list', 26, None),
        ('list -f json', 26, None),
        ('list -f value --sort-column Name', 26, None),
        ('list', 25, 25),
        ('list -f json --max-items 60', 100, 60),
        ('list -f json --limit 30', 100, 30),
        *((f'list -f {form}', 100, 100) for form in ('csv', 'jsonl', 'value')),
    ],
)
def test_formats_that_hold_all_images_are_limited(
    app, http, monkeypatch, line, there_are, listed
):
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 25)
    numbers(http, there_are)
    if listed is None:
        with pytest.raises(exceptions.CommandError, match='--max-items'):
            app.run(line)
    else:
        assert app.run(line)[1].count('cirros-') == listed


# --- errors, and exit codes -----------------------------------------------


@pytest.mark.parametrize(
    ('marker', 'advice'),
    [
        (ID, f'--marker {ID}'),
        ("a'; $(touch x) #", """--marker 'a'"'"'; $(touch x) #'"""),
        ('-x', '--marker=-x'),
        ('a\x1b', ''),
    ],
)
def test_error_while_listing_keeps_rows_and_names_marker(
    app, http, marker, advice
):
    first = {'json': nova.page([nova.image(1, id=marker)], nova.DETAIL)}
    http.get(nova.DETAIL, [first, BROKEN])
    with pytest.raises(exceptions.CommandError) as caught:
        app.run('list -f value -c Name --limit 1 --max-items 9')
    assert app.stdout.getvalue() == 'cirros-1\n'
    message = str(caught.value)
    assert '\n' not in message
    assert ('--marker' in message) == bool(advice)
    assert message.endswith(advice)


@pytest.mark.parametrize(
    'words',
    [
        # Nothing has been printed.
        'list',
        'list -f json',
        'list -f csv --sort-column Name',
        'list -f csv --usage',
        # It needs a single region, and lists more than the newest after it.
        'list -f csv --region RegionOne',
        'list -f csv --newest',
        # They have no such option.
        'delete --unused --dry-run -f csv',
        'summary',
        'show cirros-2',
    ],
)
def test_marker_is_only_named_where_it_lists_just_the_rest(
    app, http, caplog, words
):
    http.get(
        nova.DETAIL, [{'json': nova.page(nova.images(1), nova.DETAIL)}, BROKEN]
    )
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(words)
    assert '--marker' not in f'{caught.value}{caplog.text}'


@pytest.mark.parametrize(
    ('command', 'url'),
    [
        ('delete --all --dry-run', nova.DETAIL),
        ('list --unused', f'{nova.ENDPOINT}/servers/detail'),
    ],
)
def test_what_cannot_go_on_names_no_marker(app, http, command, url):
    numbers(http, 1)
    kind = 'images' if url == nova.DETAIL else 'servers'
    page = nova.page([{'id': ID}], url, kind)
    http.get(url, [{'json': page}, BROKEN])
    with pytest.raises(exceptions.CommandError, match='last one') as caught:
        app.run(command)
    assert '--marker' not in str(caught.value)


def test_server_that_never_was_is_an_error(app, http):
    numbers(http, 6)
    fault = nova.fault(404, 'itemNotFound', f'Instance {ID} is no more.')
    http.get(f'{nova.ENDPOINT}/servers/{ID}', **fault)
    with pytest.raises(exceptions.CommandError, match=f'has the ID {ID}'):
        app.rows('list', '--server', ID)


NONE = 'No images selected'
NO_ALL = 'only exclude images need --all'
NO_PROPERTY = '--property is required'
NOT_BOTH = 'not allowed with'


@pytest.mark.parametrize(
    ('command', 'told'),
    [
        (f'list --marker {ID} --all-regions', '--marker needs a single'),
        ('list --public --community', NOT_BOTH),
        # Right before an image is changed, its visibility could not be seen.
        ('delete --dry-run --community', 'unrecognized'),
        ('delete --include-used', NONE),
        ('prune --type=snapshot', '--keep-'),
        ('set x', NO_PROPERTY),
        ('unset --all', NO_PROPERTY),
        ('set --no-property --all', 'needs one image'),
        ('delete x --type=snapshot', NOT_BOTH),
        ('delete x --all-regions', NOT_BOTH),
        ('unset x --property=a --all', NOT_BOTH),
        ('delete --not-name-pattern=a --not-name=x', NO_ALL),
        ('unset --property=a --with-property=a!=b', NO_ALL),
        ('delete x --detailed-exitcode', 'needs --dry-run'),
        # With it, another run would delete other images.
        ('delete --all --newest=3', 'unrecognized'),
        ('delete --all --max-changes=0', '--max-changes'),
        # A variable that is not set would protect nothing.
        ('delete --all --keep-property=', 'no property key'),
        ('delete --all --keep-property==yes', '--keep-property'),
        ('delete --all --keep-property=keep=', '--keep-property'),
        ('delete --all --keep-property=keep!=yes', '--keep-property'),
        ('create --include-volumes', 'No servers chosen'),
        ('create web --all', NOT_BOTH),
        ('create web --status=ACTIVE', 'options that choose servers'),
        ('create web --timeout=3', '--timeout needs --wait'),
        ('create web --image-name={host}', '{host} is not a field'),
        ('create --status=ACTIV', 'choose from ACTIVE'),
        ('create --with-metadata==x', '--with-metadata'),
        ('check --warning=2d --critical=1d', '--warning is longer'),
    ],
)
def test_usage_errors(app, http, two_regions, caplog, capsys, command, told):
    try:
        code, _ = app.run(command)
    except SystemExit as e:
        code = e.code
    assert code == 2
    assert told in caplog.text + capsys.readouterr().err
    assert len(caplog.records) <= 1
    assert sent(http) == []


@pytest.mark.parametrize(
    ('command', 'told'),
    [
        ('delete --all', 'no terminal to ask'),
        ('create --all', 'no terminal to ask'),
        ('set x --property=name=x', 'cannot be set'),
        ('create web --property=name=x', 'cannot be set'),
    ],
)
def test_errors_before_any_request(app, http, command, told):
    with pytest.raises(exceptions.CommandError, match=told):
        app.run(command)
    assert not http.request_history


def saving(http, *statuses, **fields):
    """Let an image have these statuses, one after the other, or be gone."""
    images = [nova.image(1, status=each, **fields) for each in statuses]
    http.get(
        ONE,
        [
            {'json': {'image': image}} if image['status'] else nova.NOT_FOUND
            for image in images
        ],
    )


@pytest.mark.parametrize(
    ('statuses', 'code'),
    [
        (['SAVING', 'ACTIVE'], 0),
        (['SAVING', 'ERROR'], 3),
        (['SAVING', 'DELETED'], 4),
        (['SAVING', 'SAVING', None], 5),
        (['SAVING'], 6),
    ],
)
def test_show_wait_exit_code(app, http, slept, caplog, statuses, code):
    saving(http, *statuses)
    got, printed = app.run(f'show --wait --timeout 9 {ID}')
    assert got == code
    assert ('ACTIVE' in printed) == (code == 0)
    assert len([r for r in caplog.records if r.levelno >= 30]) == (code > 0)


# --- regions --------------------------------------------------------------


def test_all_regions(app, two_regions):
    expected = [('RegionOne', ID), ('RegionTwo', nova.image_id(2))]
    for words in (
        ('--all-regions',),
        ('--region', 'RegionTwo', '--region', 'RegionOne'),
    ):
        got = app.rows('list', *words)
        assert [(row['Region'], row['ID']) for row in got] == expected
    assert next(iter(got[0])) == 'Region'
    assert len(app.rows('list', '--all-regions', '--limit', '1')) == 1
    got = app.rows('list', '--region=RegionTwo', '--marker', ID)
    assert [row['Region'] for row in got] == ['RegionTwo']


@pytest.mark.parametrize('kind', ['list', 'summary'])
def test_failed_region_is_reported(app, http, two_regions, caplog, kind):
    command = f'{kind} --all-regions -f value -c Region'
    assert app.run(command) == (0, 'RegionOne\nRegionTwo\n')
    http.get(f'{TWO}/images/detail', **FORBIDDEN)
    assert app.run(command) == (1, 'RegionOne\n')
    assert 'Region RegionTwo: No. (HTTP 403)' in caplog.text
    http.get(nova.DETAIL, **FORBIDDEN)
    with pytest.raises(exceptions.CommandError, match='Every region failed'):
        app.run(command)


def test_region_without_flavor_is_skipped(app, http, two_regions, caplog):
    tiny = {'id': 'f', 'name': 'f', 'ram': 9999, 'disk': 0}
    http.get(f'{nova.ENDPOINT}/flavors/f', json={'flavor': tiny})
    http.get(f'{TWO}/flavors/f', status_code=404)
    http.get(f'{TWO}/flavors/detail', json={'flavors': []})
    got = app.rows('list', '--all-regions', '--flavor', 'f')
    assert [row['Region'] for row in got] == ['RegionOne']
    assert 'Region RegionTwo is skipped' in caplog.text


def test_region_without_endpoint(app, two_regions):
    with pytest.raises(exceptions.CommandError, match='RegionOne, RegionTwo'):
        app.run('list --region Nowhere')


def test_show_finds_image_in_any_region(app, two_regions):
    assert app.rows('show --all-regions cirros-2')['region'] == 'RegionTwo'


# --- progress, and help ---------------------------------------------------


@pytest.fixture
def on_terminal(monkeypatch, typed):
    """Return a function that makes all standard streams terminals.

    There is no delay to avoid flicker.
    """

    def put():
        monkeypatch.setattr(sys, 'stdout', Terminal())
        return typed()

    monkeypatch.setattr(threading.Timer, 'start', lambda self: self.function())
    monkeypatch.setattr(threading.Timer, 'join', lambda _self: None)
    return put


@pytest.mark.parametrize('kind', ['list', 'summary'])
def test_terminal_shows_count_of_images_read_for_join(
    app, http, on_terminal, kind
):
    fleet = Fleet(nova.images(*range(1200))).serve(http)
    terminal = on_terminal()
    app.run(kind, '--unused')
    assert '1,200 images read' in terminal.getvalue()
    assert fleet.requests.count('GET /images/detail') == 2


@pytest.mark.parametrize(
    ('progress', 'percent'),
    [(25, 25), (-1, 0), (101, 100), (10**400, 100), ('1e400', 0), ([1], 0)],
)
def test_wait_shows_progress_bar(
    app, http, slept, on_terminal, progress, percent
):
    saving(http, 'SAVING', 'SAVING', 'ACTIVE', progress=progress)
    terminal = on_terminal()
    assert app.rows('show --wait', ID)['status'] == 'ACTIVE'
    assert f'{percent}%' in terminal.getvalue()
    # The cursor is never hidden: a signal would leave it so.
    assert '\x1b[?25' not in terminal.getvalue()


@pytest.mark.parametrize('case', [None, 'dumb', 'quiet', 'stdout in a pipe'])
def test_no_progress_without_terminal(
    app, http, on_terminal, monkeypatch, case
):
    numbers(http, 5)
    terminal = on_terminal()
    monkeypatch.setenv('TERM', case or 'xterm')
    app.options.verbose_level = int(case != 'quiet')
    if case == 'stdout in a pipe':
        monkeypatch.setattr(sys, 'stdout', io.StringIO())
    app.run('list --limit 2 --max-items 9')
    shown = terminal.getvalue()
    assert ('images so far' in shown) == bool(shown) == (case is None)
    assert '0 images so far' not in shown


@pytest.mark.parametrize('command', COMMANDS.values(), ids=COMMANDS)
def test_epilog_searches_no_distributions(monkeypatch, command):
    # cliff would read the files of all distributions, at each start.
    name_of_function = '_get_distributions_by_modules'
    monkeypatch.setattr(cliff_command, name_of_function, None)
    epilog = command(None, None).get_parser('prog').epilog
    assert epilog.endswith('provided by the osc-compute-images plugin.')


class DryRun(hooks.CommandHook):
    """A hook of another plugin."""

    def get_parser(self, parser):
        parser.add_argument('--why')

    def get_epilog(self):
        return 'Nothing is changed.'

    def before(self, parsed_args):
        assert parsed_args.why == 'so'
        return argparse.Namespace(**vars(parsed_args) | {'dry_run': True})

    def after(self, parsed_args, data):
        assert parsed_args.dry_run
        headers, rows = data
        return headers, [row for row in rows if row[0] == 'delete']


def test_hook_changes_arguments_and_rows(app, http):
    fleet = new_fleet().serve(http)
    command = COMMANDS['delete'](app, None)
    command._hooks = [types.SimpleNamespace(obj=DryRun(command))]
    parser = command.get_parser('x')
    assert 'Nothing is changed.' in parser.epilog
    words = ['--all', '--auto-approve', '--why', 'so', '-f', 'value']
    before = len(fleet.images)
    assert command.run(parser.parse_args(words)) == 0
    rows = app.stdout.getvalue().splitlines()
    assert rows
    assert all(row.startswith('delete') for row in rows)
    assert len(fleet.images) == before
