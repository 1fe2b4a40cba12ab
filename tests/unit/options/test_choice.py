# SPDX-License-Identifier: Apache-2.0

"""The options that select images, alone and in pairs.

The tests implement each option a second time, on the server's records. The
server itself filters nothing.
"""

import argparse
import datetime
import importlib.metadata
import itertools
import json
import re

from osc_lib.exceptions import CommandError
import pytest

from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.summary import SummarizeComputeImages
from osc_compute_images.commands.unset import UnsetComputeImage
from osc_compute_images.options import amounts
from osc_compute_images.options import declared
from osc_compute_images.options import parsers
from osc_compute_images.options import select
from osc_compute_images.output import bounds
from testbed import nova
from testbed.fleet import Fleet
from tests.unit.commands.test_commands import App
from tests.unit.commands.test_commands import run as run_command
from tests.unit.conftest import sent

NOW = datetime.datetime.now(datetime.UTC)
GB = 1024**3

SERVERS = f'{nova.ENDPOINT}/servers'
NEW = {'OpenStack-API-Version': 'compute 2.69'}


def ago(**span):
    time = NOW - datetime.timedelta(**span)
    return f'{time:%Y-%m-%dT%H:%M:%SZ}'


WEB, SHELVED, RENAMED, DISK, GONE = (nova.image_id(90 + n) for n in range(5))


def server(server_id, name, image, status='ACTIVE'):
    return {
        'id': server_id,
        'name': name,
        'status': status,
        'tenant_id': 'p',
        'image': {'id': nova.image_id(image)} if image is not None else '',
    }


FLEET = [
    server(WEB, 'web', 1),
    server(SHELVED, 'db', 2, 'SHELVED_OFFLOADED'),
    server(RENAMED, 'new', 3, 'SHELVED'),
    server(DISK, 'disk', None),
]


def snapshot(server_id, kind='snapshot', **metadata):
    return {
        'server': {'id': server_id, 'links': []},
        'metadata': {'image_type': kind, **metadata},
    }


def image(number, days, name, **fields):
    return nova.image(
        number,
        name=name,
        created=ago(days=days),
        updated=ago(days=days / 2),
        **{'metadata': {}, **fields},
    )


SIZE = 'OS-EXT-IMG-SIZE:size'

IMAGES = [
    image(0, 1, 'web-1', **snapshot(WEB)),
    image(1, 2, 'ubuntu-24.04', metadata={'os_distro': 'ubuntu'}),
    image(2, 3, 'Ubuntu-22.04', metadata={'os_distro': 'ubuntu', 'a': 'b=c'}),
    image(3, 5, 'debian', minDisk=10, minRam=2048, **{SIZE: 2 * GB}),
    image(4, 8, 'db-shelved', **snapshot(SHELVED), status='SAVING'),
    image(5, 8, 'old-shelved', **snapshot(RENAMED)),
    image(6, 20, 'nightly', **snapshot(WEB, 'backup'), **{SIZE: 5 * GB}),
    image(7, 40, 'nightly', **snapshot(GONE, 'backup', keep='yes')),
    image(8, 50, 'kernel', minDisk=0, minRam=0),
    image(
        9,
        60,
        'machine',
        metadata={'kernel_id': nova.image_id(8), 'os_distro': 'debian'},
        minDisk=30,
    ),
    image(
        10,
        400,
        'of-a-volume',
        server={'id': DISK, 'links': []},
        metadata={'block_device_mapping': [{'boot_index': 0}]},
        minDisk=500,
        **{SIZE: 0},
    ),
    image(11, 500, None, status='UNKNOWN', metadata={'os_distro': 'UBUNTU'}),
]

USED = {
    1: {WEB},
    2: {SHELVED},
    3: {RENAMED},
    4: {SHELVED},
    5: {RENAMED},
    8: {nova.image_id(9)},
}


def number_of(entry):
    return IMAGES.index(entry)


def server_of(entry):
    return entry.get('server', {}).get('id')


def is_on_volume(entry):
    return 'block_device_mapping' in entry['metadata'] and not entry[SIZE]


def since(days, field='created'):
    return lambda i: i[field] >= ago(days=days)


def has(key, value):
    return lambda i: i['metadata'].get(key) == value


def named(pattern):
    return lambda i: bool(i['name'] and re.search(pattern, i['name']))


def no(choice):
    return lambda i: not choice(i)


#: For each option with a value, a predicate of the images that it selects.
CHOICES = {
    '--name=nightly': lambda i: i['name'] == 'nightly',
    '--not-name=nightly': lambda i: i['name'] != 'nightly',
    '--name-pattern=[^a-z]*-*': named('^Ubuntu-'),
    '--not-name-pattern=*-shelved': no(named('-shelved$')),
    '--name-regex=^[a-z]+-[0-9]': named('^[a-z]+-[0-9]'),
    '--not-name-regex=[.]04$': no(named('[.]04$')),
    '--status=active': lambda i: i['status'] == 'ACTIVE',
    '--status=unknown': lambda i: i['status'] == 'UNKNOWN',
    '--type=snapshot': has('image_type', 'snapshot'),
    '--type=server': lambda i: server_of(i) is not None,
    '--type=base': lambda i: (
        'image_type' not in i['metadata'] and not is_on_volume(i)
    ),
    '--type=volume': is_on_volume,
    '--created-after=10d': since(10),
    '--created-before=1w': no(since(7)),
    '--created-before=1y': no(since(365)),
    '--changes-since=5d': since(5, 'updated'),
    '--changes-before=15d': no(since(15, 'updated')),
    '--min-disk=1': lambda i: i['minDisk'] == 1,
    '--min-disk=>=10': lambda i: i['minDisk'] >= 10,
    '--min-ram=<512': lambda i: i['minRam'] < 512,
    '--size=>1GB': lambda i: i[SIZE] > 10**9,
    '--size=<=2GiB': lambda i: i[SIZE] <= 2 * GB,
    '--property=os_distro': lambda i: 'os_distro' in i['metadata'],
    '--property=os_distro=ubuntu': has('os_distro', 'ubuntu'),
    '--property=os_distro!=ubuntu': no(has('os_distro', 'ubuntu')),
    '--property=a=b=c': has('a', 'b=c'),
    '--property=image_type=backup': has('image_type', 'backup'),
    '--flavor=small': lambda i: (
        i['status'] == 'ACTIVE'
        and i['minRam'] <= 1024
        and (is_on_volume(i) or (i['minDisk'] <= 20 and i[SIZE] <= 20 * GB))
    ),
    f'--server={WEB}': lambda i: server_of(i) == WEB,
    '--server=web': lambda i: server_of(i) == WEB,
    '--used-by=db': lambda i: SHELVED in USED.get(number_of(i), ()),
    '--unused': lambda i: number_of(i) not in USED,
    '--orphaned': lambda i: server_of(i) == GONE,
}


@pytest.fixture
def app(http, tmp_path):
    """Provide the shell, on a cloud with these images and servers."""
    http.get(nova.DETAIL, json=nova.Server(IMAGES))
    small = {'id': 'small', 'name': 's', 'ram': 1024, 'disk': 20}
    http.get(f'{nova.ENDPOINT}/flavors/small', json={'flavor': small})
    http.get(re.compile(f'{SERVERS}/'), **nova.NOT_FOUND)
    http.get(f'{SERVERS}/detail', json={'servers': FLEET}, headers=NEW)
    for entry in FLEET:
        http.get(f'{SERVERS}/{entry["id"]}', json={'server': entry})

    def by_name(request, _context):
        name = request.qs['name'][0].strip('^$')
        return {'servers': [s for s in FLEET if s['name'] == name]}

    http.get(SERVERS, json=by_name)
    return App(tmp_path)


def run(app, *words, command=ListComputeImage):
    """Run a list; return its rows."""
    shown = command(app, None)
    parsed = shown.get_parser('openstack x').parse_args([*words, '-f', 'json'])
    assert shown.run(parsed) == 0
    printed = app.stdout.getvalue()
    app.stdout.truncate(app.stdout.seek(0))
    return json.loads(printed)


def numbers(rows):
    ids = [entry['id'] for entry in IMAGES]
    return [ids.index(row['ID']) for row in rows]


def expected(*choices):
    return [
        number
        for number, entry in enumerate(IMAGES)
        if all(choice(entry) for choice in choices)
    ]


@pytest.mark.parametrize('option', CHOICES)
def test_option_selects_images(app, option):
    wanted = expected(CHOICES[option])
    assert 0 < len(wanted) < len(IMAGES)
    assert numbers(run(app, option)) == wanted


def name_of(option):
    return option.partition('=')[0]


@pytest.mark.no_cover
def test_options_combine_in_pairs(app):
    told_apart = set()
    for one, two in itertools.combinations(CHOICES, 2):
        if name_of(one) == name_of(two):
            continue
        wanted = expected(CHOICES[one], CHOICES[two])
        assert numbers(run(app, one, two)) == wanted, (one, two)
        assert numbers(run(app, two, one)) == wanted, (two, one)
        for option in (one, two):
            if wanted != expected(CHOICES[option]):
                told_apart.add((name_of(one), name_of(two)))
    # For nearly all pairs, the test would notice if one option was ignored.
    names = {name_of(option) for option in CHOICES}
    assert len(told_apart) > 0.9 * len(names) * (len(names) - 1) / 2


@pytest.mark.parametrize(
    ('words', 'choices'),
    [
        (['--status=saving', '--status=UNKNOWN'], [4, 11]),
        (['--type=backup', '--type=volume'], [6, 7, 10]),
        (['--name=nightly', '--name=kernel'], [6, 7, 8]),
        (['--name-pattern=[uU]b*', '--name-pattern=k*'], [1, 2, 8]),
        (['--name-regex=^k', '--name-regex=^m'], [8, 9]),
        (['--server=disk', f'--server={GONE}'], [7, 10]),
        (['--used-by=web', '--used-by=db'], [1, 2, 4]),
        # An image must match all of these.
        (['--size=>1GB', '--size=<3GB'], [3]),
        (['--min-disk=>1', '--min-disk=<=30'], [3, 9]),
        (['--created-before=7d', '--created-before=100d'], [10, 11]),
        (['--changes-since=5d', '--changes-since=2d'], [0, 1, 2]),
        (['--property=os_distro', '--property=os_distro!=ubuntu'], [9, 11]),
        (['--not-name=nightly', '--not-name=kernel', '--size=>3GB'], []),
        (
            ['--not-name-pattern=*-*', '--not-name-regex=^k'],
            [3, 6, 7, 9, 11],
        ),
    ],
)
def test_repeated_options(app, words, choices):
    assert numbers(run(app, *words)) == choices


@pytest.mark.parametrize(
    ('option', 'wider', 'narrower'),
    [
        ('created-before', '7d', '100d'),
        ('created-after', '30d', '4d'),
        ('changes-before', '2d', '5d'),
        ('changes-since', '5d', '2d'),
        ('min-disk', '>=1', '>1'),
        ('min-ram', '>=512', '>512'),
        ('size', '>1MB', '>1GB'),
    ],
)
def test_image_must_match_all_bounds(app, option, wider, narrower):
    wide, narrow = f'--{option}={wider}', f'--{option}={narrower}'
    expected = numbers(run(app, narrow))
    assert expected != numbers(run(app, wide))
    assert numbers(run(app, wide, narrow)) == expected
    assert numbers(run(app, narrow, wide)) == expected


@pytest.mark.parametrize(
    ('words', 'chosen'),
    [
        (['--newest'], [0]),
        (['--newest', '3'], [0, 1, 2]),
        (['--newest', '2', '--type', 'backup'], [6, 7]),
        (['--newest', '--type', 'base', '--created-before', '4d'], [3]),
        (['--group-by', 'name', '--type', 'backup'], [6]),
        (['--group-by', 'server', '--type', 'server'], [0, 4, 5, 7, 10]),
        (
            ['--newest', '2', '--group-by', 'server', '--type', 'server'],
            [0, 4, 5, 6, 7, 10],
        ),
        (['--group-by', 'type'], [0, 1, 6, 10]),
        (['--group-by', 'status,type'], [0, 1, 4, 6, 10, 11]),
        (['--group-by', 'property:os_distro'], [0, 1, 9, 11]),
        (
            ['--group-by', 'status', '--group-by', 'type'],
            [0, 1, 4, 6, 10, 11],
        ),
        (['--newest', '3', '--limit', '2'], [0, 1]),
        (['--newest', '9', '--unused', '--type', 'snapshot'], [0]),
    ],
)
def test_newest(app, words, chosen):
    assert numbers(run(app, *words)) == chosen


def test_newest_requests_a_small_page(app, http):
    run(app, '--newest')
    assert http.last_request.qs['limit'] == ['20']
    run(app, '--newest', '100')
    assert http.last_request.qs['limit'] == ['100']


def test_created_after_ends_listing(app, http):
    many = [image(n, n / 100, f'n-{n}') for n in range(5000)]
    http.get(nova.DETAIL, json=nova.Server(many))
    # 1,500 images are newer: they are on two pages.
    rows = run(app, '--created-after', '15d', '-c', 'Name')
    assert [row['Name'] for row in rows] == [f'n-{n}' for n in range(1500)]
    assert len(sent(http)) == 2
    http.reset_mock()
    # In another order, any later image may be newer.
    http.get(nova.DETAIL, json=nova.Server(many[::-1]))
    assert len(run(app, '--created-after', '15d')) == 1500
    assert len(sent(http)) == 6


def test_usage_columns(app):
    rows = run(app, '--usage')
    assert {n: set(row['Used By']) for n, row in enumerate(rows)} == {
        n: USED.get(n, set()) for n in range(len(IMAGES))
    }
    names = [row['Server Name'] for row in rows]
    assert names == [
        *('web', None, None, None, 'db', 'new', 'web', None, None, None),
        *('disk', None),
    ]
    assert [*rows[0]] == ['ID', 'Name', 'Status', 'Server Name', 'Used By']


@pytest.mark.parametrize(
    ('words', 'wanted', 'requests'),
    [
        ([], range(2015), 3),
        (['--limit', '999', '--max-items', '5'], range(5), 3),
        (['--limit', '500', '--max-items', '5'], range(5), 5),
        (['--unused', '--status', 'active', '--newest', '2'], [0, 4], 3),
        (['--type', 'snapshot'], [], 3),
        (['--name', 'n-2005', '--created-after', '21d'], [2005], 3),
        # What comes after a marker is not all that there is.
        (['--marker', nova.image_id(1999)], range(2000, 2015), 4),
    ],
)
def test_images_are_listed_once_for_their_use_and_to_be_shown(
    app, http, words, wanted, requests
):
    many = [image(n, n / 100, f'n-{n}') for n in range(2015)]
    http.get(nova.DETAIL, json=nova.Server(many))
    rows = run(app, '--usage', *words)
    assert [row['Name'] for row in rows] == [f'n-{n}' for n in wanted]
    paths = [request.split('?')[0] for request in sent(http)]
    assert paths.count('GET /v2.1/images/detail') == requests
    assert paths.count('GET /v2.1/servers/detail') == 1


def test_too_many_images_to_keep_are_listed_again(app, http, monkeypatch):
    rows = run(app, '--unused')
    before = len(sent(http))
    # Any page is more than that.
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 10)
    assert run(app, '--unused') == rows
    assert len(sent(http)) == 2 * before + 1


def test_a_summary_lists_images_once_for_their_use(app, http):
    assert [row['Count'] for row in summary(app, '--unused')] == [6]
    assert len([r for r in sent(http) if '/images/' in r]) == 1


def table(app, *words):
    command = ListComputeImage(app, None)
    parsed = command.get_parser('openstack x').parse_args([*words])
    assert command.run(parsed) == 0
    return app.stdout.getvalue()


def test_table_shows_names_in_used_by(app):
    printed = table(app, '--used-by', 'db', '-c', 'Name', '-c', 'Used By')
    assert printed.splitlines()[1:-1:2][0] == '| Name         | Used By |'
    assert '| Ubuntu-22.04 | db      |' in printed
    assert '| db-shelved   | db      |' in printed
    assert '| kernel | machine |' in table(
        app, '--name', 'kernel', '-c', 'Name', '-c', 'Used By'
    )


@pytest.mark.parametrize(
    ('words', 'reasons'),
    [
        (['--unused'], ['servers booted from volumes, whose images are unk']),
        (['--orphaned'], []),
        (['--usage'], []),
        (['--used-by', 'db'], []),
    ],
)
def test_unknown_use_is_reported_once(app, caplog, words, reasons):
    run(app, *words)
    warnings = [
        r.getMessage() for r in caplog.records if r.levelname == 'WARNING'
    ]
    assert len(warnings) == bool(reasons)
    for reason in reasons:
        assert reason in warnings[0]


def test_invisible_servers_are_reported(app, http, caplog):
    forbidden = nova.fault(403, 'forbidden', 'No.')
    http.get(f'{SERVERS}/detail?all_tenants=1', **forbidden)
    for option in ('--unused', '--orphaned'):
        caplog.clear()
        run(app, option)
        [warning] = [r.getMessage() for r in caplog.records]
        assert 'servers of other projects are not visible' in warning


def test_servers_are_requested_only_if_needed(app, http):
    run(app, '--type', 'snapshot')
    assert not any('/servers' in request for request in sent(http))


def test_options_of_filters(app):
    parser = ListComputeImage(app, None).get_parser('openstack x')
    actions = {
        word: action
        for action in parser._actions
        for word in action.option_strings
    }
    for option in declared.FILTERS:
        action = actions[f'--{option.name}']
        assert action.help == option.help
        assert action.metavar == option.metavar
        assert action.dest == option.name.replace('-', '_')
        assert action.metavar is None or action.metavar.islower()
        excluding = actions.get(f'--not-{option.name}')
        assert (excluding is None) == (option.negative is None)
        if excluding is not None:
            assert excluding.help == option.negative
            assert excluding.metavar == option.metavar
            assert excluding.dest == f'not_{action.dest}'


_CLIFF = importlib.metadata.version('cliff').split('.')

ANY_CASE = pytest.mark.skipif(
    [int(number) for number in _CLIFF[:2]] < [4, 7],
    reason='cliff 4.6 takes headers as they are',
)


@pytest.mark.parametrize(
    'words',
    [
        ['-c', 'Size'],
        pytest.param(['-c', 'created_at', '-c', 'ID'], marks=ANY_CASE),
        pytest.param(['-c', 'MIN DISK'], marks=ANY_CASE),
    ],
)
def test_column_of_long_implies_long(app, words):
    [first, *_] = run(app, *words)
    assert len(first) == len(words) / 2


def test_sort_column_of_long_implies_long(app):
    rows = run(app, '--sort-column', 'Size')
    sizes = [row['Size'] for row in rows]
    assert sizes == sorted(sizes)
    assert 'Properties' in rows[0]
    rows = run(app, '--sort-column', 'Size', '-c', 'ID')
    assert numbers(rows)[0] == 10
    assert [*rows[0]] == ['ID']
    assert len(run(app, '-c', 'ID', '-c', 'Status')[0]) == 2


def test_human_readable(app):
    rows = run(app, '--human-readable', '-c', 'Size', '--sort-column', 'Size')
    assert [row['Size'] for row in rows][::4] == ['0', '21.4M', '21.4M']
    assert rows[-1]['Size'] == '5.4G'


def summary(app, *words):
    return run(app, *words, command=SummarizeComputeImages)


def test_summary(app):
    assert summary(app, '--type', 'backup') == [
        {
            'Count': 2,
            'Size': 5 * GB + 21430272,
            'Oldest': ago(days=40),
            'Newest': ago(days=20),
        }
    ]
    rows = summary(app, '--group-by', 'type,property:os_distro')
    assert [(r['Type'], r['os_distro'], r['Count']) for r in rows] == [
        ('backup', None, 2),
        ('base', 'UBUNTU', 1),
        ('base', 'debian', 1),
        ('base', 'ubuntu', 2),
        ('base', None, 2),
        ('snapshot', None, 3),
        ('volume', None, 1),
    ]
    rows = summary(app, '--group-by', 'server', '--type', 'server')
    assert [row['Server ID'] for row in rows] == sorted(
        [WEB, SHELVED, RENAMED, DISK, GONE]
    )
    rows = summary(app, '--group-by=status', '--newest=2', '--human-readable')
    assert [(r['Status'], r['Size']) for r in rows] == [
        ('ACTIVE', '42.9M'),
        ('SAVING', '21.4M'),
        ('UNKNOWN', '21.4M'),
    ]
    assert summary(app, '--name', 'nobody')[0]['Oldest'] is None
    assert summary(app, '--name', 'nobody', '--group-by', 'name') == []


@pytest.mark.parametrize(
    ('keys', 'headers'),
    [
        ('property:Count', ['property:Count']),
        ('property:size,status', ['property:size', 'Status']),
        ('name,property:name', ['Name', 'property:name']),
        ('property:server_id', ['server_id']),
        ('property:server_id,server', ['property:server_id', 'Server ID']),
        ('property:os,property:OS', ['property:os', 'property:OS']),
        ('property:Region', ['Region']),
        ('name,name', ['Name']),
        ('property:os,type,property:os', ['os', 'Type']),
        (
            'property:count,property:property:count',
            ['property:count', 'property:property:count'],
        ),
    ],
)
@pytest.mark.parametrize('options', [(), ('--region', 'RegionOne')])
def test_headers_of_a_summary_are_unique(app, keys, headers, options):
    first, *_ = summary(app, '--group-by', keys, *options)
    if options:
        headers = ['Region', *headers]
        if keys == 'property:Region':
            headers[1] = keys
    assert [*first] == [*headers, 'Count', 'Size', 'Oldest', 'Newest']


def test_table_of_a_summary_with_keys_like_its_columns(app):
    words = ('--group-by', 'property:Count,name,name', '-f', 'table')
    code, printed = run_command(app, SummarizeComputeImages, *words)
    assert code == 0
    header = printed.splitlines()[1]
    assert header.split('|')[1].strip() == 'property:Count'


def test_a_key_that_repeats_is_given_once(app):
    words = ('--group-by', 'status,type', '--group-by', 'type,status')
    assert summary(app, *words) == summary(app, '--group-by', 'status,type')


def test_summary_reports_unknown_use(app, caplog):
    assert summary(app, '--unused')[0]['Count'] == len(IMAGES) - len(USED)
    assert 'Some uses of images are unknown: ' in caplog.text
    assert 'servers booted from volumes' in caplog.text


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        (option, value)
        for option in (
            *('--created-before', '--created-after'),
            *('--changes-before', '--changes-since'),
        )
        for value in (
            *(
                '',
                'yesterday',
                '24h30m',
                '90m',
                '1h30',
                '30',
                '30 d',
                '-3d',
                '1.5h',
            ),
            *('3M', '7D', '2026-13-01', '99999999999w', '9999999y', '٣d'),
        )
    ]
    + [
        ('--size', v)
        for v in ('', 'big', '10XB', '-1', '1.5', '>=', '1 0', '1e3', 'GB')
    ]
    + [('--name-regex', v) for v in ('(', '*', '[a', '(?P<n>')]
    + [('--not-name-regex', '(')]
    + [('--newest', v) for v in ('0', '-1', 'all', '')]
    + [
        ('--group-by', v)
        for v in ('', 'size', 'name,', 'property:', 'Name', 'name, server')
    ]
    + [('--property', v) for v in ('', '=x', '!=x')],
)
def test_invalid_value_is_rejected_before_any_request(
    app, http, capsys, option, value
):
    with pytest.raises(SystemExit) as caught:
        run(app, f'{option}={value}')
    assert caught.value.code == 2
    assert option in capsys.readouterr().err
    assert http.call_count == 0


COMMANDS = (
    ListComputeImage,
    SummarizeComputeImages,
    DeleteComputeImage,
    PruneComputeImages,
    SetComputeImage,
    UnsetComputeImage,
)


@pytest.mark.parametrize('command', COMMANDS)
def test_an_empty_value_is_an_error(app, http, command, capsys):
    parser = command(app, None).get_parser('openstack x')
    filtering = {option.name for option in declared.FILTERS if option.metavar}
    tried = set()
    for action in parser._actions:
        [word] = action.option_strings[-1:] or ['']
        name = re.sub('^--(not-|with-)?', '', word)
        if name not in {*filtering, 'region'}:
            continue
        if action.dest == 'properties' or action.help == argparse.SUPPRESS:
            # It has a test below, or is refused.
            continue
        with pytest.raises(SystemExit) as caught:
            parser.parse_args([f'{word}='])
        assert caught.value.code == 2
        printed = capsys.readouterr().err
        assert f'argument {word}: the value is empty (probably' in printed
        tried.add(name)
    assert tried == {'region', *filtering}
    assert http.call_count == 0


@pytest.mark.parametrize(
    ('command', 'words'),
    [
        (ListComputeImage, ['--marker=']),
        (SetComputeImage, ['--property==x', 'a']),
        (SetComputeImage, ['--property=', 'a']),
        (UnsetComputeImage, ['--property=', 'a']),
    ],
)
def test_other_empty_values_are_errors(app, http, command, words):
    with pytest.raises((SystemExit, argparse.ArgumentTypeError)):
        run(app, *words, command=command)
    assert http.call_count == 0


@pytest.mark.parametrize(
    ('words', 'given', 'selects'),
    [
        ([], False, False),
        (['--name=a'], True, True),
        (['--not-name=a'], True, False),
        (['--not-name-pattern=a*', '--not-name-regex=a'], True, False),
        (['--property=a!=b'], True, False),
        (['--property=a!=b', '--property=c!='], True, False),
        (['--property=a'], True, True),
        (['--property=a!=b', '--property=c=d'], True, True),
        (['--property=a!=b', '--unused'], True, True),
        (['--not-name=a', '--size=0'], True, True),
        (['--orphaned'], True, True),
    ],
)
def test_exclusions_alone_select_nothing(words, given, selects):
    parser = argparse.ArgumentParser()
    select.add_filters(parser)
    parsed = parser.parse_args(words)
    assert select.is_given(parsed) is given
    assert select.selects(parsed) is selects


def unreadable(caplog):
    found = [
        record.getMessage()
        for record in caplog.records
        if 'cannot be read' in record.getMessage()
    ]
    caplog.clear()
    return found


@pytest.mark.parametrize(
    ('words', 'count'),
    [
        (['--created-before=1d'], 2),
        (['--created-after=9y'], 2),
        (['--changes-since=9y'], 3),
        (['--changes-before=1d', '--changes-since=9y'], 3),
        (['--created-before=1d', '--changes-before=1d'], 3),
        # Others are excluded in any case.
        (['--name=odd', '--created-before=1d'], 1),
        (['--not-name=odd', '--created-before=1d'], 1),
        (['--size=7', '--created-before=1d'], 0),
        (['--name=odd'], 0),
    ],
)
def test_images_whose_time_cannot_be_read_are_counted(
    app, http, caplog, words, count
):
    odd = [
        nova.image(50, name='odd', created='yesterday', updated=''),
        nova.image(51, created=None, updated='2026-01-01 UTC'),
        nova.image(52, updated='Thu, 01 Jan 2026 12:00:00 GMT'),
    ]
    http.get(nova.DETAIL, json=nova.Server(IMAGES[:2] + odd))
    message = (
        'Images that time filters do not select, as their creation or update '
        f'time cannot be read: {count}'
    )
    expected = [message] if count else []
    for command, more in (
        (ListComputeImage, []),
        (ListComputeImage, ['--usage']),
        (SummarizeComputeImages, []),
        (DeleteComputeImage, ['--dry-run']),
        (PruneComputeImages, ['--dry-run', '--keep-last=1', '--type=all']),
        (
            UnsetComputeImage,
            ['--dry-run', '--property=a', '--allow-private'],
        ),
    ):
        if command is UnsetComputeImage:
            words = [
                word.replace('--', '--with-').replace('-with-not', '-without')
                for word in words
            ]
        run(app, *words, *more, command=command)
        assert unreadable(caplog) == expected, command


@pytest.mark.parametrize('zone', ['UTC', 'America/New_York', 'Asia/Kolkata'])
def test_time_without_zone_is_utc(set_zone, zone):
    set_zone(zone)
    for text, meant in (
        ('2026-11-23T16:11:28', '2026-11-23T16:11:28Z'),
        ('2026-11-23', '2026-11-23T00:00:00Z'),
        ('2026-11', '2026-11-01T00:00:00Z'),
        ('2026-11-23T16:11:28+02:00', '2026-11-23T14:11:28Z'),
    ):
        assert parsers.time_or_age(text) == meant
    back = datetime.datetime.fromisoformat(parsers.time_or_age('90min'))
    span = datetime.datetime.now(datetime.UTC) - back
    assert datetime.timedelta(minutes=89) < span
    assert span < datetime.timedelta(minutes=91)


@pytest.mark.parametrize(
    ('text', 'span'),
    [
        ('90min', datetime.timedelta(minutes=90)),
        ('24h', datetime.timedelta(hours=24)),
        ('7d', datetime.timedelta(days=7)),
        ('2w', datetime.timedelta(weeks=2)),
        ('1y', datetime.timedelta(days=365)),
        ('0d', datetime.timedelta(0)),
    ],
)
def test_span_is_an_age(text, span):
    before = datetime.datetime.now(datetime.UTC)
    read = datetime.datetime.fromisoformat(parsers.time_or_age(text))
    after = datetime.datetime.now(datetime.UTC)
    second = datetime.timedelta(seconds=1)
    assert before - span <= read <= after - span + second


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('4096', {'exactly': 4096}),
        ('=1B', {'exactly': 1}),
        ('>=10GB', {'at_least': 10**10}),
        ('<500MiB', {'less_than': 500 * 2**20}),
        (' <= 1.5 gb ', {'at_most': 1_500_000_000}),
        ('>0.5KiB', {'more_than': 512}),
        ('2k', {'exactly': 2000}),
        ('2Ti', {'exactly': 2**41}),
        ('9P', {'exactly': 9 * 10**15}),
        ('1E', {'exactly': 10**18}),
    ],
)
def test_sizes(text, value):
    assert amounts.size(text) == value


@pytest.fixture
def fleet(app, http):
    """Provide a cloud that filters by visibility."""
    fleet = Fleet(IMAGES, FLEET).serve(http)
    fleet.visibility = {IMAGES[n]['id']: 'shared' for n in (0, 4, 5)}
    fleet.visibility |= {IMAGES[n]['id']: 'public' for n in (1, 2, 3, 8)}
    return fleet


@pytest.mark.parametrize(
    ('words', 'chosen'),
    [
        (['--shared'], [0, 4, 5]),
        (['--public'], [1, 2, 3, 8]),
        (['--private'], [6, 7, 9, 10, 11]),
        (['--community'], []),
        (['--shared', '--status', 'saving'], [4]),
        (['--shared', '--newest'], [0]),
        (['--private', '--limit', '2', '--max-items', '4'], [6, 7, 9, 10]),
        (['--public', '--unused'], []),
        (['--private', '--unused', '--created-before', '1y'], [10, 11]),
    ],
)
def test_images_of_a_visibility(app, fleet, words, chosen):
    assert numbers(run(app, *words)) == chosen


def test_a_summary_of_a_visibility(app, fleet):
    assert [row['Count'] for row in summary(app, '--public')] == [4]
    assert [row['Count'] for row in summary(app)] == [len(IMAGES)]


@pytest.mark.parametrize('words', [(), ('--newest',), ('--unused',)])
@pytest.mark.parametrize('command', [ListComputeImage, SummarizeComputeImages])
def test_a_server_that_ignores_the_visibility_is_not_believed(
    app, http, command, words
):
    # The cloud of these tests filters nothing.
    with pytest.raises(CommandError, match='does not filter') as caught:
        run(app, '--shared', *words, command=command)
    assert 'visibility' in str(caught.value)
    assert app.stdout.getvalue() == ''


def test_images_have_one_visibility(app, capsys):
    with pytest.raises(SystemExit):
        run(app, '--public', '--shared')
    assert 'not allowed with argument --public' in capsys.readouterr().err


@pytest.mark.parametrize(
    'command', [DeleteComputeImage, PruneComputeImages, SetComputeImage]
)
def test_no_changes_if_visibility_is_unknown(app, http, command, capsys):
    # Right before an image is changed, its visibility could not be seen.
    with pytest.raises(SystemExit):
        run(app, '--community', '--dry-run', command=command)
    assert ' --community' in capsys.readouterr().err
    assert not sent(http)


def test_every_filter_has_a_choice():
    parser = argparse.ArgumentParser()
    select.add_filters(parser)
    select.add_newest(parser, '')
    options = {o for action in parser._actions for o in action.option_strings}
    tried = {name_of(option) for option in CHOICES}
    others = {'--accept-gaps', '--newest', '--group-by'}
    assert options - tried == {'-h', '--help', *others}
