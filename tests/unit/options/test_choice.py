# SPDX-License-Identifier: Apache-2.0

"""The options that select images, alone and in pairs.

The server of these tests filters nothing.
"""

import datetime

import pytest

from osc_compute_images.options import declared
from osc_compute_images.output import bounds
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server

NOW = datetime.datetime.now(datetime.UTC)
GB = 1024**3


def ago(**span):
    time = NOW - datetime.timedelta(**span)
    return f'{time:%Y-%m-%dT%H:%M:%SZ}'


WEB, SHELVED, RENAMED, DISK, GONE = (nova.image_id(90 + n) for n in range(5))
FLEET = [
    server(WEB, 'web', image=nova.image_id(1)),
    server(SHELVED, 'db', image=nova.image_id(2), status='SHELVED_OFFLOADED'),
    server(RENAMED, 'new', image=nova.image_id(3), status='SHELVED'),
    server(DISK, 'disk'),
]


def snapshot(server_id, kind='snapshot', **metadata):
    return {
        'server': {'id': server_id, 'links': []},
        'metadata': {'image_type': kind, **metadata},
    }


def image(number, days, name, **fields):
    times = {'created': ago(days=days), 'updated': ago(days=days / 2)}
    return nova.image(number, name=name, **{'metadata': {}, **times, **fields})


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
    image(9, 60, 'machine', minDisk=30)
    | {'metadata': {'kernel_id': nova.image_id(8), 'os_distro': 'debian'}},
    image(10, 400, 'of-a-volume', minDisk=500, **{SIZE: 0})
    | {'server': {'id': DISK, 'links': []}}
    | {'metadata': {'block_device_mapping': [{'boot_index': 0}]}},
    image(11, 500, None, status='UNKNOWN', metadata={'os_distro': 'UBUNTU'}),
]

USED = {1: WEB, 2: SHELVED, 3: RENAMED, 4: SHELVED, 5: RENAMED}
USED[8] = nova.image_id(9)


#: The numbers of the images that each option selects.
CHOICES = {
    '--name=nightly': [6, 7],
    '--not-name=nightly': [0, 1, 2, 3, 4, 5, 8, 9, 10, 11],
    '--name-pattern=[^a-z]*-*': [2],
    '--not-name-pattern=*-shelved': [0, 1, 2, 3, 6, 7, 8, 9, 10, 11],
    '--name-regex=^[a-z]+-[0-9]': [0, 1],
    '--not-name-regex=[.]04$': [0, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    '--status=active': [0, 1, 2, 3, 5, 6, 7, 8, 9, 10],
    '--type=snapshot': [0, 4, 5],
    '--type=volume': [10],
    '--created-after=10d': [0, 1, 2, 3, 4, 5],
    '--created-before=1w': [4, 5, 6, 7, 8, 9, 10, 11],
    '--changes-since=5d': [0, 1, 2, 3, 4, 5],
    '--changes-before=15d': [7, 8, 9, 10, 11],
    '--min-disk=1': [0, 1, 2, 4, 5, 6, 7, 11],
    '--min-disk=>=10': [3, 9, 10],
    '--min-ram=<512': [8],
    '--size=>1GB': [3, 6],
    '--property=os_distro': [1, 2, 9, 11],
    '--property=os_distro=ubuntu': [1, 2],
    '--property=os_distro!=ubuntu': [0, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    '--flavor=small': [0, 1, 2, 5, 6, 7, 8, 10],
    '--server=web': [0, 6],
    '--used-by=db': [2, 4],
    '--unused': [0, 6, 7, 9, 10, 11],
    '--orphaned': [7],
}


@pytest.fixture(autouse=True)
def fleet(http):
    """Serve these images and servers."""
    small = {'id': 'small', 'name': 's', 'ram': 1024, 'disk': 20}
    http.get(f'{nova.ENDPOINT}/flavors/small', json={'flavor': small})
    fleet = Fleet(IMAGES, FLEET).serve(http)
    fleet.filters = False
    return fleet


def chosen(app, *words):
    """Run a list; return the numbers of its images."""
    ids = [entry['id'] for entry in IMAGES]
    return [ids.index(row['ID']) for row in app.rows('list', *words)]


def test_every_filter_has_a_choice():
    options = {f'--{each.name}' for each in declared.FILTERS} | {
        f'--not-{each.name}' for each in declared.FILTERS if each.negative
    }
    assert options == {option.partition('=')[0] for option in CHOICES}


@pytest.mark.parametrize(('option', 'numbers'), CHOICES.items())
def test_option_selects_images(app, option, numbers):
    assert chosen(app, option) == numbers


@pytest.mark.parametrize(
    ('words', 'numbers'),
    [
        ('--status=saving --status=UNKNOWN', [4, 11]),
        (f'--server=disk --server={GONE}', [7, 10]),
        ('--used-by=web --used-by=db', [1, 2, 4]),
        # An image must match all of these.
        ('--name-pattern=*e* --type=base --min-disk=<9 --size=<1GB', [8]),
        (f'--server={WEB} --unused --created-after=1w --flavor=small', [0]),
        ('--min-disk=>1 --min-disk=<=30', [3, 9]),
        ('--property=os_distro --property=os_distro!=ubuntu', [9, 11]),
        # Of what the others select, the newest are kept.
        ('--newest', [0]),
        ('--newest --type=base --created-before=4d', [3]),
        ('--newest=2 --group-by=server --type=server', [0, 4, 5, 6, 7, 10]),
        ('--group-by=status --group-by=type', [0, 1, 4, 6, 10, 11]),
        ('--newest --unused --group-by=property:os_distro', [0, 9, 11]),
    ],
)
def test_options_combine(app, words, numbers):
    assert chosen(app, *words.split()) == numbers
    assert chosen(app, *reversed(words.split())) == numbers


def test_newest_requests_a_small_page(app, http):
    for count, size in ((), '20'), (('100',), '100'):
        app.rows('list', '--newest', *count)
        assert http.last_request.qs['limit'] == [size]


@pytest.mark.parametrize(
    ('line', 'count'),
    [
        ('list --created-before=1d --changes-before=1d', 3),
        # Others are excluded in any case.
        ('list --name=odd --created-after=9y', 1),
        ('summary --created-after=9y', 2),
        ('delete --changes-before=1d --dry-run', 3),
    ],
)
def test_images_whose_time_cannot_be_read_are_counted(
    app, fleet, caplog, line, count
):
    odd = [
        nova.image(50, name='odd', created='yesterday', updated=''),
        nova.image(51, created=None, updated='2026-01-01 UTC'),
        nova.image(52, updated='Thu, 01 Jan 2026 12:00:00 GMT'),
    ]
    fleet.images = {i['id']: i for i in IMAGES[:2] + odd}
    app.rows(line)
    assert f'cannot be read: {count}' in caplog.text


def test_usage_columns(app):
    got = app.rows('list', '--usage')
    users = {n: row['Used By'] for n, row in enumerate(got) if row['Used By']}
    assert users == {n: [user] for n, user in USED.items()}
    assert [row['Server Name'] for row in got] == [
        *('web', None, None, None, 'db', 'new', 'web', None, None, None),
        *('disk', None),
    ]
    assert [*got[0]] == ['ID', 'Name', 'Status', 'Server Name', 'Used By']
    # For people, they have names.
    assert '| machine |' in app.run('list --name=kernel -c', 'Used By')[1]


@pytest.mark.parametrize(
    ('words', 'wanted', 'requests'),
    [
        ('', range(2015), 3),
        ('--limit 500 --max-items 5', range(5), 5),
        ('--name n-2005 --created-after 21d', [2005], 3),
        # What comes after a marker is not all that there is.
        (f'--marker {nova.image_id(1999)}', range(2000, 2015), 4),
    ],
)
def test_images_are_listed_once_for_their_use_and_to_be_shown(
    app, fleet, words, wanted, requests
):
    many = [image(n, n / 100, f'n-{n}') for n in range(2015)]
    fleet.images = {each['id']: each for each in many}
    got = app.rows('list', '--usage', *words.split())
    assert [row['Name'] for row in got] == [f'n-{n}' for n in wanted]
    assert fleet.requests.count('GET /images/detail') == requests
    assert fleet.requests.count('GET /servers/detail') == 1


def test_too_many_images_to_keep_are_listed_again(app, fleet, monkeypatch):
    got = app.rows('list', '--unused')
    before = len(fleet.requests)
    # Any page is more than that.
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 10)
    assert app.rows('list', '--unused') == got
    assert len(fleet.requests) == 2 * before + 1


VOLUMES = 'servers booted from volumes, whose images are unknown: 1'
OTHERS = 'servers of other projects are not visible'


@pytest.mark.parametrize(
    ('words', 'is_admin', 'told'),
    [
        ('--unused', True, VOLUMES),
        ('--unused', False, f'{OTHERS}; {VOLUMES}'),
        ('--orphaned', True, ''),
        ('--orphaned', False, OTHERS),
        ('--used-by db', False, ''),
    ],
)
@pytest.mark.parametrize('kind', ['list', 'summary'])
def test_unknown_use_is_reported_once(
    app, fleet, caplog, kind, words, is_admin, told
):
    fleet.is_admin = is_admin
    app.rows(f'{kind} {words}')
    text = ''.join(caplog.messages)
    assert text == (told and f'Some uses of images are unknown: {told}')


def test_columns_of_long_are_added(app, fleet):
    _, printed = app.run('list -f csv --sort-column created_at')
    headers = '"ID","Name","Status","Created At"'
    assert printed.splitlines()[0] == headers
    words = ('--human-readable', '-c', 'Size', '--sort-column', 'Size')
    sizes = [row['Size'] for row in app.rows('list', *words)]
    assert [sizes[0], sizes[1], sizes[-1]] == ['0', '21.4M', '5.4G']
    image = {**nova.image(0), 'OS-EXT-IMG-SIZE:size': int('9' * 99)}
    fleet.images[image['id']] = image
    assert app.rows('list', *words)[-1]['Size'] == '>999Z'


def summary(app, words):
    """Run a summary; return the cells of each row."""
    return [[*row.values()] for row in app.rows(f'summary {words}')]


def test_summary(app, fleet):
    size = 5 * GB + 21430272
    times = [ago(days=40), ago(days=20)]
    assert summary(app, '--type backup') == [[2, size, *times]]
    got = summary(app, '--group-by=status --newest=2 --human-readable')
    assert [row[:3] for row in got] == [
        ['ACTIVE', 2, '42.9M'],
        ['SAVING', 1, '21.4M'],
        ['UNKNOWN', 1, '21.4M'],
    ]
    assert summary(app, '--name nobody') == [[0, 0, None, None]]
    assert summary(app, '--name nobody --group-by name') == []
    fleet.requests.clear()
    [row] = summary(app, '--unused')
    assert row[0] == len(IMAGES) - len(USED)
    assert fleet.requests.count('GET /images/detail') == 1


def test_headers_of_a_summary_are_unique(app):
    keys = 'property:size,status,property:Region,property:os,property:os'
    first, *_ = app.rows(f'summary --group-by {keys} --region RegionOne')
    assert [*first] == [
        *('Region', 'property:size', 'Status', 'property:Region', 'os'),
        *('Count', 'Size', 'Oldest', 'Newest'),
    ]


@pytest.mark.parametrize(
    ('words', 'numbers'),
    [
        ('--public', [1, 2, 3, 8]),
        ('--shared --newest', [0]),
        ('--private --unused', [6, 7, 9, 10, 11]),
    ],
)
def test_images_of_a_visibility(app, fleet, words, numbers):
    fleet.filters = True
    fleet.visibility = {IMAGES[n]['id']: 'shared' for n in (0, 4, 5)}
    fleet.visibility |= {IMAGES[n]['id']: 'public' for n in (1, 2, 3, 8)}
    assert chosen(app, *words.split()) == numbers
    assert summary(app, words)[0][0] == len(numbers)
