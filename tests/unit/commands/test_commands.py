# SPDX-License-Identifier: Apache-2.0

"""The commands, from the parser to mocked HTTP."""

import argparse
import csv
import io
import json
import sys
import time

from cliff import command as cliff_command
from osc_lib import exceptions
from osc_lib.cli import client_config
import pytest
import yaml

from osc_compute_images.api.filters import _regex
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from osc_compute_images.commands.summary import SummarizeComputeImages
from osc_compute_images.options import amounts
from osc_compute_images.options import parsers
from osc_compute_images.output import escaping
from osc_compute_images.text import printable
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'


AUTH = {
    'auth_url': f'{nova.KEYSTONE}/v3',
    'username': 'demo',
    'password': 'secret',
    'project_name': 'demo',
    'user_domain_name': 'Default',
    'project_domain_name': 'Default',
}

CLOUD = {'auth_type': 'v3password', 'auth': AUTH, 'region_name': 'RegionOne'}


class App:
    """Replaces the shell; the configuration is a real one.

    :param folder: the folder of ``clouds.yaml``
    :param clouds: clouds in addition to ``mycloud``
    :param settings: additional settings of ``mycloud``
    """

    def __init__(self, folder, clouds=None, **settings):
        file = folder / 'clouds.yaml'
        clouds = {'mycloud': {**CLOUD, **settings}, **(clouds or {})}
        file.write_text(json.dumps({'clouds': clouds}))
        self.stdout = io.StringIO()
        self.options = argparse.Namespace(
            verbose_level=1,
            cloud='mycloud',
            region_name='',
            timing=False,
            debug=False,
        )
        self.cloud_config = client_config.OSC_Config(
            config_files=[str(file)], secure_files=[], load_envvars=False
        )
        self.client_manager = argparse.Namespace()
        self.timing_data = []

    def prepare_to_run_command(self, command):
        assert command.auth_required
        settings = self.cloud_config.get_one(
            cloud=self.options.cloud, argparse=self.options
        )
        self.client_manager.session = settings.get_session()
        self.client_manager.sdk_connection = argparse.Namespace(
            config=settings
        )


@pytest.fixture
def app(http, tmp_path):
    return App(tmp_path)


def run(app, kind, *words):
    """Run a command; return its exit code and output."""
    command = kind(app, None)
    parsed = command.get_parser('openstack x').parse_args(list(words))
    code = command.run(parsed)
    printed = app.stdout.getvalue()
    app.stdout.truncate(app.stdout.seek(0))
    return code, printed


def listed(app, *words):
    code, printed = run(app, ListComputeImage, '-f', 'json', *words)
    assert code == 0
    return json.loads(printed)


def numbers(http, count):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(count))))


def test_list_columns(app, http):
    http.get(nova.DETAIL, json=nova.page([nova.image(1)]))
    assert listed(app) == [{'ID': ID, 'Name': 'cirros-1', 'Status': 'ACTIVE'}]
    [image] = listed(app, '--long')
    assert (
        image.items()
        >= {
            'ID': ID,
            'Name': 'cirros-1',
            'Status': 'ACTIVE',
            'Progress': 100,
            'Server ID': None,
            'Min Disk': 1,
            'Min RAM': 512,
            'Size': 21430272,
            'Created At': '2026-11-23T16:11:28Z',
            'Updated At': '2026-11-23T17:12:31Z',
            'Properties': {'os_distro': 'cirros'},
        }.items()
    )


ODD = nova.image(1, name='a\x1b]0;x\x07\n\u202eb', metadata={'k\n': ['\x1b']})


def test_machine_formats_keep_values_unchanged(app, http):
    http.get(nova.DETAIL, json=nova.page([ODD]))
    _, printed = run(app, ListComputeImage, '-f', 'json', '--long')
    assert json.loads(printed)[0]['Name'] == ODD['name']
    _, printed = run(app, ListComputeImage, '-f', 'yaml', '--long')
    assert yaml.safe_load(printed)[0]['Properties'] == ODD['metadata']
    assert yaml.safe_load(printed)[0]['Name'] == ODD['name']
    _, printed = run(app, ListComputeImage, '-f', 'csv')
    assert next(csv.DictReader(io.StringIO(printed)))['Name'] == ODD['name']
    _, printed = run(app, ListComputeImage, '-f', 'value', '-c', 'Name')
    assert printed == ODD['name'] + '\n'


@pytest.mark.parametrize('words', [(), ('--long',)])
def test_table_escapes_control_characters(app, http, words):
    http.get(nova.DETAIL, json=nova.page([ODD]))
    _, printed = run(app, ListComputeImage, *words)
    assert 'a\\x1b]0;x\\x07\\n\\u202eb' in printed
    assert '\x1b' not in printed
    assert '\u202e' not in printed
    assert len(printed.splitlines()) == 5


def test_sort_column(app, http):
    http.get(
        nova.DETAIL,
        json=nova.page(
            [
                nova.image(1, minDisk=9, name='b\n', metadata={'b': '1'}),
                nova.image(2, minDisk=10, name='a', metadata={'a': '2'}),
                nova.image(3, minDisk=1, name=None, metadata={'c': '3'}),
            ]
        ),
    )
    for column, expected in (
        ('Min Disk', [1, 9, 10]),
        ('Name', [10, 9, 1]),
        ('Properties', [10, 9, 1]),
    ):
        rows = listed(app, '--long', '--sort-column', column)
        assert [row['Min Disk'] for row in rows] == expected


@pytest.mark.parametrize(
    ('words', 'count', 'limits'),
    [
        ((), 2500, [1000, 1000, 1000]),
        (('--limit', '7'), 7, [7]),
        (('--limit', '1500'), 1500, [1000, 1000]),
        (('--max-items', '7'), 7, [7]),
        (('--max-items', '7', '--limit', '3'), 7, [3, 3, 3]),
        (('--max-items', '1500', '--limit', '5000'), 1500, [1000, 1000]),
        (('--limit', '3', '--name-pattern', '*'), 3, [1000]),
        (('--max-items', '3', '--name-pattern', '*'), 3, [1000]),
        (
            ('--max-items', '3', '--limit', '2', '--status', 'active'),
            3,
            [2, 2],
        ),
        (('--limit', '3', '--type', 'all'), 3, [3]),
    ],
)
def test_limit_and_max_items(app, http, words, count, limits):
    numbers(http, 2500)
    assert len(listed(app, *words)) == count
    asked = [int(r.qs['limit'][0]) for r in http.request_history[1:]]
    assert asked == limits


@pytest.mark.parametrize(
    ('words', 'numbers_listed'),
    [
        (('--name', 'cirros-4'), [4]),
        (('--name-pattern', 'cirros-[^0-2]'), [3, 4, 5]),
        (('--status', 'saving'), []),
        (('--type', 'base', '--limit', '2'), [0, 1]),
        (('--min-disk', '>=2'), []),
        (('--min-ram', '512', '--max-items', '1'), [0]),
        (('--property', 'os_distro=cirros', '--limit', '1'), [0]),
        (('--property', 'os_distro', '--property', 'other'), []),
        (('--flavor', 'tiny', '--limit', '1'), [0]),
    ],
)
def test_filter_options(app, http, words, numbers_listed):
    tiny = {'id': 'tiny', 'name': 't', 'ram': 512, 'disk': 1}
    http.get(f'{nova.ENDPOINT}/flavors/tiny', json={'flavor': tiny})
    numbers(http, 6)
    ids = [row['ID'] for row in listed(app, *words)]
    assert ids == [nova.image_id(n) for n in numbers_listed]


def test_server_that_never_was_is_an_error(app, http):
    numbers(http, 6)
    http.get(f'{nova.ENDPOINT}/servers/{ID}', **nova.NOT_FOUND)
    with pytest.raises(exceptions.CommandError, match=f'has the ID {ID}'):
        listed(app, '--server', ID)


@pytest.mark.parametrize(
    ('marker', 'requests'), [(ID, 1), (ID.upper(), 3), ('cirros-1', 2)]
)
def test_marker_is_an_id_or_a_name(app, http, marker, requests):
    numbers(http, 4)
    # In upper case, then in lower case.
    http.get(ONE, [nova.NOT_FOUND, {'json': {'image': nova.image(1)}}])
    rows = listed(app, '--marker', marker)
    assert [row['ID'] for row in rows] == [nova.image_id(n) for n in (2, 3)]
    assert len(sent(http)) == requests


def test_changes_since_is_sent(app, http):
    numbers(http, 1)
    listed(app, '--changes-since', '2026-11-23T17:11:28+01:00')
    assert http.last_request.qs['changes-since'] == ['2026-11-23t16:11:28z']


def test_rows_are_written_before_next_page_is_requested(app, http):
    server = nova.Server(nova.images(*range(4)))
    seen = []

    def answer(request, context):
        seen.append(app.stdout.getvalue().count('\n'))
        return server(request, context)

    http.get(nova.DETAIL, json=answer)
    words = ('-f', 'value', '--limit', '2', '--max-items', '10')
    run(app, ListComputeImage, *words)
    assert seen == [0, 2, 4]


def test_error_of_first_page_prints_no_rows(app, http):
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    with pytest.raises(exceptions.CommandError, match='No') as caught:
        run(app, ListComputeImage, '-f', 'csv')
    assert app.stdout.getvalue() == ''
    assert '\n' not in str(caught.value)


def test_error_while_listing_keeps_rows_and_names_marker(app, http):
    fault = nova.fault(500, 'computeFault', 'Oh.')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, fault])
    words = ('-f', 'value', '-c', 'Name', '--limit', '2', '--max-items', '9')
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, ListComputeImage, *words)
    assert app.stdout.getvalue() == 'cirros-1\ncirros-2\n'
    assert f'--marker {nova.image_id(2)}' in str(caught.value)


@pytest.mark.parametrize(
    ('marker', 'advice'),
    [
        ("a'; touch x #", """--marker 'a'"'"'; touch x #'"""),
        ('$(touch x)', "--marker '$(touch x)'"),
        ('-x', '--marker=-x'),
        ('a\x1b', None),
    ],
)
def test_marker_in_error_is_quoted_for_shell(app, http, marker, advice):
    fault = nova.fault(500, 'computeFault', 'Oh.')
    first = nova.page([nova.image(1, id=marker)], nova.DETAIL)
    http.get(nova.DETAIL, [{'json': first}, fault])
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, ListComputeImage, '--limit', '1', '--max-items', '9')
    if advice is None:
        assert '--marker' not in str(caught.value)
    else:
        assert str(caught.value).endswith(advice)


def test_error_without_valid_marker_names_none(app, http):
    http.get(nova.DETAIL, json=nova.page([], nova.DETAIL))
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, ListComputeImage)
    assert '--marker' not in str(caught.value)


def test_error_if_compute_does_not_serve_images(app, http):
    http.get(nova.DETAIL, **nova.NO_ROUTE)
    version = {'version': {'min_version': '2.40', 'version': '2.200'}}
    http.get(f'{nova.ENDPOINT}/', json=version)
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, ListComputeImage)
    assert '2.40 to 2.200' in str(caught.value)
    assert '"openstack image list"' in str(caught.value)


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('--limit', '0'),
        ('--limit', '-1'),
        ('--limit', '1.5'),
        ('--max-items', 'many'),
        ('--status', 'queued'),
        ('--changes-since', 'tomorrow'),
        ('--changes-since', '2026-13-01'),
        ('--changes-since', '99999999999w'),
        ('--min-disk', '~5'),
        ('--min-ram', '-1'),
        ('--property', '=x'),
    ],
)
def test_invalid_value_is_rejected_before_any_request(
    app, http, capsys, option, value
):
    with pytest.raises(SystemExit) as caught:
        run(app, ListComputeImage, f'{option}={value}')
    assert caught.value.code == 2
    assert repr(value) in capsys.readouterr().err
    assert http.call_count == 0


@pytest.mark.parametrize(
    ('text', 'time'),
    [
        ('2026-11-23T16:11:28Z', '2026-11-23T16:11:28Z'),
        ('2026-11-23T16:11:28', '2026-11-23T16:11:28Z'),
        ('2026-11-23 16:11:28', '2026-11-23T16:11:28Z'),
        ('2026-11-23T18:11:28+02:00', '2026-11-23T16:11:28Z'),
        ('20261123T161128Z', '2026-11-23T16:11:28Z'),
        ('2026-11-23T16:11', '2026-11-23T16:11:00Z'),
        ('2026-11-23T16:11:27.5Z', '2026-11-23T16:11:28Z'),
        ('2026-11-23', '2026-11-23T00:00:00Z'),
        ('2026-11', '2026-11-01T00:00:00Z'),
        ('2026', '2026-01-01T00:00:00Z'),
        ('0900', '0900-01-01T00:00:00Z'),
    ],
)
def test_time_formats(text, time):
    assert parsers.time_or_age(text) == time


def test_spans_are_ages():
    for shorter, longer in (('90min', '2h'), ('23h', '1d'), ('6d', '1w')):
        assert parsers.time_or_age(longer) < parsers.time_or_age(shorter)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('10', {'exactly': 10}),
        ('=10', {'exactly': 10}),
        (' >= 10 ', {'at_least': 10}),
        ('<=0', {'at_most': 0}),
        ('>1', {'more_than': 1}),
        ('<1', {'less_than': 1}),
    ],
)
def test_comparisons(text, value):
    assert amounts.comparison(text) == value


@pytest.mark.parametrize('text', ['0', '-1', 'x', 'nan', 'inf', ''])
def test_seconds_must_be_positive(text):
    with pytest.raises(argparse.ArgumentTypeError):
        parsers.seconds(text)


def test_show(app, http):
    entry = nova.image(1, **{'OS-DCF:diskConfig': 'AUTO'})
    http.get(ONE, json={'image': entry})
    code, printed = run(app, ShowComputeImage, '-f', 'json', ID)
    shown = json.loads(printed)
    assert code == 0
    assert list(shown) == sorted(shown)
    assert shown['disk_config'] == 'AUTO'
    assert shown['properties'] == {'os_distro': 'cirros'}
    assert len(sent(http)) == 1
    http.get(ONE, json={'image': nova.image(1)})
    _code, printed = run(app, ShowComputeImage, '-f', 'json', ID)
    assert 'disk_config' not in json.loads(printed)


@pytest.mark.parametrize(
    ('answers', 'code'),
    [
        (['SAVING', 'ACTIVE'], 0),
        (['SAVING', 'ERROR'], 3),
        (['SAVING', 'DELETED'], 4),
        (['SAVING', 'SAVING', nova.NOT_FOUND], 5),
        (['SAVING'], 6),
    ],
)
def test_show_wait_exit_code(app, http, slept, caplog, answers, code):
    http.get(
        ONE,
        [
            a
            if isinstance(a, dict)
            else {'json': {'image': nova.image(1, status=a)}}
            for a in answers
        ],
    )
    got, printed = run(app, ShowComputeImage, '--wait', '--timeout', '9', ID)
    assert got == code
    assert ('ACTIVE' in printed) == (code == 0)
    assert len([r for r in caplog.records if r.levelno >= 30]) == (code > 0)


@pytest.mark.parametrize(
    ('kind', 'words', 'reason'),
    [
        (ShowComputeImage, ('--timeout', '9', 'x'), '--timeout needs --wait'),
        (
            ListComputeImage,
            ('--marker', ID, '--all-regions'),
            '--marker needs a single region: select it with --region',
        ),
    ],
)
def test_usage_error_after_parsing(
    app, two_regions, caplog, kind, words, reason
):
    assert run(app, kind, *words) == (2, '')
    [record] = caplog.records
    assert (record.levelname, record.message) == ('ERROR', reason)


def test_timeout_without_wait_sends_nothing(app, http):
    before = http.call_count
    assert run(app, ShowComputeImage, '--timeout', '9', ID) == (2, '')
    assert http.call_count == before


@pytest.mark.parametrize('words', [(), ('--region', 'RegionOne')])
def test_slow_regular_expression_is_an_error(
    app, http, monkeypatch, caplog, words
):
    monkeypatch.setattr(_regex, 'MAX_SECONDS', 0.01)
    http.get(nova.DETAIL, json=nova.page([nova.image(1, name='a' * 255)]))
    words += ('--name-regex', '(.*a){20}b')
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, ListComputeImage, *words)
    told = [str(caught.value), *(r.getMessage() for r in caplog.records)]
    [line] = [line for line in told if '(.*a){20}b' in line]
    assert 'needs too much time or memory' in line
    assert '\n' not in line


TWO = 'http://nova-two.example.com/v2.1'


@pytest.fixture
def two_regions(http):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    http.get(nova.DETAIL, json=nova.page([nova.image(1)]))
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(2)]))


def test_summary_of_all_regions(app, http, two_regions, caplog):
    words = ('--all-regions', '-f', 'value', '-c', 'Region', '-c', 'Count')
    assert run(app, SummarizeComputeImages, *words) == (
        *(0, 'RegionOne 1\nRegionTwo 1\n'),
    )
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    assert run(app, SummarizeComputeImages, *words) == (1, 'RegionTwo 1\n')
    assert 'Region RegionOne: No. (HTTP 403)' in caplog.text


def test_all_regions(app, http, two_regions):
    expected = [('RegionOne', ID), ('RegionTwo', nova.image_id(2))]
    for words in (
        ('--all-regions',),
        ('--region', 'RegionTwo', '--region', 'RegionOne'),
    ):
        rows = listed(app, *words)
        assert [(row['Region'], row['ID']) for row in rows] == expected
    assert next(iter(rows[0])) == 'Region'
    assert len(listed(app, '--all-regions', '--limit', '1')) == 1
    rows = listed(app, '--region', 'RegionTwo', '--marker', ID)
    assert [row['Region'] for row in rows] == ['RegionTwo']


def test_failed_region_is_reported(app, http, two_regions, caplog):
    http.get(f'{TWO}/images/detail', **nova.fault(403, 'forbidden', 'No.'))
    code, printed = run(app, ListComputeImage, '--all-regions', '-f', 'value')
    assert code == 1
    assert printed.startswith('RegionOne')
    assert 'Region RegionTwo: No.' in caplog.text
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    with pytest.raises(exceptions.CommandError, match='Every region failed'):
        run(app, ListComputeImage, '--all-regions')


def test_region_without_flavor_is_skipped(app, http, two_regions, caplog):
    tiny = {'id': 'f', 'name': 'f', 'ram': 9999, 'disk': 0}
    http.get(f'{nova.ENDPOINT}/flavors/f', json={'flavor': tiny})
    http.get(f'{TWO}/flavors/f', status_code=404)
    http.get(f'{TWO}/flavors/detail', json={'flavors': []})
    rows = listed(app, '--all-regions', '--flavor', 'f')
    assert [row['Region'] for row in rows] == ['RegionOne']
    assert 'Region RegionTwo is skipped' in caplog.text


def test_unknown_region_is_an_error(app, two_regions):
    with pytest.raises(exceptions.CommandError, match='RegionOne, RegionTwo'):
        run(app, ListComputeImage, '--region', 'Nowhere')


def test_all_regions_without_compute_in_catalog(app, http):
    set_catalog(http, {})
    with pytest.raises(exceptions.CommandError, match='No region'):
        run(app, ListComputeImage, '--all-regions')


def shown(app, *words):
    _, printed = run(app, ShowComputeImage, '-f', 'json', *words)
    return json.loads(printed)


def test_show_finds_image_in_any_region(app, http, two_regions):
    assert shown(app, '--all-regions', 'cirros-2')['region'] == 'RegionTwo'
    assert shown(app, '--region', 'RegionOne', 'cirros-1')['id'] == ID
    with pytest.raises(exceptions.CommandError, match="name or ID of 'x'"):
        shown(app, '--all-regions', 'x')
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(1)]))
    with pytest.raises(exceptions.CommandError) as caught:
        shown(app, '--all-regions', 'cirros-1')
    assert f'RegionOne {ID}, RegionTwo {ID}' in str(caught.value)


def test_parser_needs_no_cloud():
    for kind in (ListComputeImage, ShowComputeImage, SetComputeImage):
        kind(None, None).get_parser('x')


@pytest.mark.parametrize(
    ('setting', 'fault'),
    [('compute_status_code_retries', {'status_code': 503})],
)
def test_retry_settings_of_cloud_are_used(
    http, tmp_path, slept, setting, fault
):
    app = App(tmp_path, **{setting: 2})
    http.get(nova.DETAIL, **fault)
    with pytest.raises(exceptions.CommandError):
        run(app, ListComputeImage)
    assert len(sent(http)) == 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """Return a function that makes the standard streams terminals.

    The test must call it, because pytest replaces the streams before.
    """

    def put():
        terminal = Terminal()
        monkeypatch.setattr(sys, 'stderr', terminal)
        monkeypatch.setattr(sys, 'stdout', Terminal())
        monkeypatch.setenv('TERM', 'xterm')
        return terminal

    return put


def test_progress_on_terminal_counts_images(app, http, on_terminal):
    terminal = on_terminal()
    counts = iter(('2 images so far', '4 images so far'))
    server = nova.Server(nova.images(*range(5)))

    def after_previous_count(request, context):
        if 'marker' in request.qs:
            count = next(counts)
            end = time.monotonic() + 60
            while count not in terminal.getvalue():
                assert time.monotonic() < end
                time.sleep(0.01)
        return server(request, context)

    http.get(nova.DETAIL, json=after_previous_count)
    run(app, ListComputeImage, '--limit', '2', '--max-items', '9')
    assert next(counts, None) is None
    assert '0 images so far' not in terminal.getvalue()


@pytest.mark.parametrize('kind', [ListComputeImage, SummarizeComputeImages])
def test_terminal_shows_count_of_images_read_for_join(
    app, http, on_terminal, kind
):
    terminal = on_terminal()

    def told(count):
        end = time.monotonic() + 60
        while f'{count} images read' not in terminal.getvalue():
            assert time.monotonic() < end
            time.sleep(0.01)

    server = nova.Server(nova.images(*range(1200)))

    def page(request, context):
        told('1,000' if 'marker' in request.qs else '0')
        return server(request, context)

    def servers(_request, _context):
        told('0')
        return {'servers': []}

    http.get(nova.DETAIL, json=page)
    http.get(
        f'{nova.ENDPOINT}/servers/detail',
        json=servers,
        headers={'OpenStack-API-Version': 'compute 2.69'},
    )
    run(app, kind, '--unused')


def test_wait_shows_progress_bar(app, http, slept, on_terminal):
    saving = nova.image(1, status='SAVING', progress=25)
    answers = [{'json': {'image': one}} for one in (saving, nova.image(1))]
    http.get(ONE, answers)
    terminal = on_terminal()
    run(app, ShowComputeImage, '--wait', ID)
    assert '100%' in terminal.getvalue()


@pytest.mark.parametrize(
    'progress', [-1, 101, 2**70, 10**400, 1e300, '1e400', None, 'x', [1]]
)
def test_progress_bar_accepts_invalid_progress(
    app, http, slept, on_terminal, progress
):
    saving = nova.image(1, status='SAVING', progress=progress)
    answers = [{'json': {'image': one}} for one in (saving, nova.image(1))]
    http.get(ONE, answers)
    on_terminal()
    code, printed = run(app, ShowComputeImage, '--wait', '-f', 'json', ID)
    assert (code, json.loads(printed)['status']) == (0, 'ACTIVE')


def test_cursor_is_never_hidden(app, http, slept, on_terminal):
    """So no signal can leave a terminal without a cursor."""
    saving = nova.image(1, status='SAVING', progress=25)
    answers = [{'json': {'image': one}} for one in (saving, nova.image(1))]
    http.get(ONE, answers)
    terminal = on_terminal()
    run(app, ShowComputeImage, '--wait', ID)
    assert '100%' in terminal.getvalue()
    assert '\x1b[?25' not in terminal.getvalue()


@pytest.mark.parametrize('case', ['dumb', 'quiet', 'pipe', 'stdout in a pipe'])
def test_no_progress_without_terminal(
    app, http, on_terminal, monkeypatch, case
):
    numbers(http, 5)
    terminal = on_terminal()
    if case == 'dumb':
        monkeypatch.setenv('TERM', 'dumb')
    elif case == 'quiet':
        app.options.verbose_level = 0
    elif case == 'pipe':
        monkeypatch.setattr(terminal, 'isatty', lambda: False)
    else:
        monkeypatch.setattr(sys, 'stdout', io.StringIO())
    run(app, ListComputeImage, '--limit', '2', '--max-items', '9')
    assert terminal.getvalue() == ''


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('Größe-映像 x', 'Größe-映像 x'),
        ('a\tb', 'a\\tb'),
        ('\u3000\xa0', '\u3000\xa0'),
        ('\x9b2J', '\\x9b2J'),
        ('\u200f', '\\u200f'),
        ('\U000e0041', '\\U000e0041'),
        ('\ud800', '\\ud800'),
    ],
)
def test_printable(text, expected):
    assert printable(text) == expected


def test_columns_compare_only_with_same_type():
    one = escaping.PropertiesColumn({'a': 1})
    assert one.__lt__(1) is NotImplemented
    assert one < escaping.PropertiesColumn({'b': 1})


@pytest.mark.parametrize('name', ['list', 'show'])
def test_epilog_searches_no_distributions(monkeypatch, name):
    # cliff would read the files of all distributions, at each start.
    def search():
        raise AssertionError

    name_of_function = '_get_distributions_by_modules'
    monkeypatch.setattr(cliff_command, name_of_function, search)
    made = {'list': ListComputeImage, 'show': ShowComputeImage}[name]
    epilog = made(None, None).get_parser('prog').epilog
    assert epilog.endswith('provided by the osc-compute-images plugin.')


def test_hook_adds_to_epilog():
    class Hook:
        obj = argparse.Namespace(get_epilog=lambda: 'By a hook.')

    made = ListComputeImage(None, None)
    own = made.get_epilog()
    made._hooks = [Hook]
    hooked = own.replace('\n\nThis', '\n\nBy a hook.\n\nThis')
    assert made.get_epilog() == hooked != own
