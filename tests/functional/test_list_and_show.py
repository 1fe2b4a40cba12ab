# SPDX-License-Identifier: Apache-2.0

"""The commands ``list`` and ``show``, compared with Glance."""

from collections.abc import Iterator
import csv
import io
import re
import subprocess
import threading
from typing import Any

import pytest
import yaml

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import Request
from tests.functional.conftest import as_shown
from tests.functional.conftest import Cloud
from tests.functional.conftest import executable
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

#: Seconds to wait for an event that must happen.
PATIENCE = 60


@pytest.fixture(scope='module')
def images(glance: Glance) -> list[dict[str, Any]]:
    """Provide the expected rows of all images, the newest first."""
    return [as_shown(image) for image in glance.images()]


def ids(images: list[dict[str, Any]]) -> list[str]:
    return [image['ID'] for image in images]


# -- comparison with Glance ------------------------------------------------


def test_list_agrees_with_glance(demo, images):
    assert demo.images() == images
    assert len(images) > 40


@pytest.mark.parametrize('user', ['admin', 'reader'])
def test_list_of_other_users_agrees_with_glance(cloud, request, user):
    shell: Shell = request.getfixturevalue(user)
    glance = Glance(cloud, user, 'RegionOne')
    assert shell.images() == [as_shown(image) for image in glance.images()]


def as_fields(image: dict[str, Any]) -> dict[str, Any]:
    """Return the expected fields of ``show``, from a row of ``list``."""
    fields = {k.lower().replace(' ', '_'): v for k, v in image.items()}
    config = image['Properties'].get('auto_disk_config')
    if config is not None:
        fields['disk_config'] = 'AUTO' if config == 'True' else 'MANUAL'
    return dict(sorted(fields.items()))


def test_show_by_id_agrees_with_list(quick, images):
    # Images with a unique name are shown by name, below.
    names = [image['Name'] for image in images]
    for image in images:
        if image['Name'] is not None and names.count(image['Name']) == 1:
            continue
        shown = quick(*SHOW, '-f', 'json', image['ID']).json()
        assert list(shown.items()) == list(as_fields(image).items())


def test_show_by_name_agrees_with_list(quick, images):
    names = [image['Name'] for image in images]
    shown = 0
    for image in images:
        name = image['Name']
        # An empty name is rejected: it may be an unset variable.
        if not name or names.count(name) > 1 or name in ids(images):
            continue
        result = quick(*SHOW, '-f', 'json', '--', name)
        assert result.json() == as_fields(image)
        shown += 1
    assert shown > 40


def test_empty_name_is_rejected(demo, images):
    image = next(image for image in images if image['Name'] == '')
    error = demo.run(*SHOW, '')
    assert (error.code, error.out) == (2, '')
    assert 'use the ID of an image with an empty name' in error.err
    shown = demo(*SHOW, '-f', 'json', image['ID'])
    assert shown.json() == as_fields(image)


def test_show_by_id_in_upper_case(demo, images):
    image = images[3]
    shown = demo(*SHOW, '-f', 'json', image['ID'].upper()).json()
    assert shown == as_fields(image)


def test_show_prefers_id_to_name(demo, images):
    meant = next(image for image in images if image['Name'] in ids(images))
    shown = demo(*SHOW, '-f', 'json', meant['Name']).json()
    assert shown['id'] == meant['Name']
    assert shown['id'] != meant['ID']


def test_ambiguous_name_is_an_error(demo, images):
    several = [image['ID'] for image in images if image['Name'] == 'golden']
    assert demo.fails(*SHOW, 'golden') == (
        f"3 images have the name 'golden'; use one of their IDs: "
        f'{", ".join(several)}'
    )


@pytest.mark.parametrize(
    'name',
    [
        *('nope', 'GOLDEN', 'None', ' ', 'in:golden', '..', '../servers'),
        'cf84aa10-0000-4000-8000-000000000000',
        'detail',
    ],
)
def test_missing_image_is_an_error(quick, name):
    assert quick.fails(*SHOW, name) == (
        f'No image with a name or ID of {name!r} exists'
    )


# -- formatters ------------------------------------------------------------


def printed(value: Any) -> str:
    """Return the cell of a table for a value, with escapes."""
    if isinstance(value, dict):
        return ', '.join(
            f"{key}='{printed(each)}'" for key, each in sorted(value.items())
        )
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode()
        for c in str(value)
    )


def test_table_has_every_field(demo, images):
    lines = demo(*LIST, '--long').out.splitlines()
    headers, *rows = (
        [cell.strip() for cell in line[1:-1].split(' | ')]
        for line in lines
        if line.startswith('| ')
    )
    assert headers == list(images[0])
    assert rows == [
        [printed(value).strip() for value in image.values()]
        for image in images
    ]
    assert demo(*LIST, '--long').out.isprintable() is False


def test_csv_has_every_field(demo, images):
    out = demo(*LIST, '--long', '-f', 'csv').out
    headers, *rows = csv.reader(io.StringIO(out, newline=''), escapechar='\\')
    assert headers == list(images[0])
    assert rows == [
        ['' if value is None else str(value) for value in image.values()]
        for image in images
    ]


def test_value_has_every_field(demo, images):
    assert demo(*LIST, '--long', '-f', 'value').out == ''.join(
        ' '.join(map(str, image.values())) + '\n' for image in images
    )


def test_yaml_has_the_types_of_json(demo, images):
    assert yaml.safe_load(demo(*LIST, '--long', '-f', 'yaml').out) == images


def test_show_has_the_same_data_in_every_format(demo, images):
    image = next(i for i in images if i['Name'] == 'web-1-snapshot-2')
    fields = as_fields(image)
    show = (*SHOW, image['ID'], '-f')
    assert yaml.safe_load(demo(*show, 'yaml').out) == fields
    assert demo(*show, 'value').out == ''.join(
        f'{value}\n' for value in fields.values()
    )
    lines = demo(*show, 'table', '--max-width', '0').out.splitlines()
    rows = dict(
        [cell.strip() for cell in line[1:-1].split(' | ')]
        for line in lines
        if line.startswith('| ')
    )
    del rows['Field']
    assert rows == {k: printed(v) for k, v in fields.items()}


def test_columns_can_be_selected(quick, images):
    words = ('-c', 'Size', '-c', 'Name', '-c', 'Properties')
    listed = quick(*LIST, '--long', '-f', 'json', *words).json()
    assert listed == [
        {column: image[column] for column in ('Name', 'Size', 'Properties')}
        for image in images
    ]


@pytest.mark.parametrize('direction', ['ascending', 'descending'])
def test_list_can_be_sorted_by_any_column(quick, images, direction):
    for column in images[0]:
        expected = sorted(
            (
                printed(value) if column == 'Properties' else value
                for value in (image[column] for image in images)
            ),
            key=lambda value: (value is None, value),
            reverse=direction == 'descending',
        )
        words = ('--sort-column', column, f'--sort-{direction}')
        listed = quick(*LIST, '--long', '-f', 'json', *words).json()
        assert expected == [
            printed(image[column]) if column == 'Properties' else image[column]
            for image in listed
        ]
        assert sorted(ids(listed)) == sorted(ids(images))


@pytest.mark.parametrize(
    ('form', 'out'),
    [
        ('table', '\n'),
        ('csv', '"ID","Name","Status"\n'),
        ('json', '[]\n'),
        ('value', ''),
        ('yaml', '[]\n'),
    ],
)
def test_empty_list_is_not_an_error(quick, form, out):
    assert quick(*LIST, '-f', form, '--name', 'nope').out == out
    assert quick(*LIST, '-f', form, '--property', 'nope').out == out


# -- limits and markers ----------------------------------------------------


def test_limit_larger_than_list(quick, images):
    for words in (
        ('--limit', '1000000'),
        ('--max-items', '1000000'),
        ('--limit', '1001', '--max-items', '1000000'),
        ('--limit', str(len(images))),
        ('--limit', str(len(images)), '--max-items', str(len(images) + 1)),
    ):
        assert quick(*IDS, *words).out.split() == ids(images)


def test_list_continues_after_marker(quick, images):
    middle = len(images) // 2
    for image, by in (
        (images[0], 'ID'),
        (images[middle], 'ID'),
        (images[-1], 'ID'),
        *((i, 'Name') for i in images if i['Name'] in ODD_NAMES),
    ):
        after = ids(images)[images.index(image) + 1 :]
        words = (f'--marker={image[by]}', '--limit', '5')
        assert quick(*IDS, *words).out.split() == after[:5]
    upper = ids(images)[middle].upper()
    assert (
        quick(*IDS, '--marker', upper).out.split()
        == (ids(images)[middle + 1 :])
    )


ODD_NAMES = (
    *(' leading', 'trailing ', 'in:foo', 'a,b', 'eq:x', 'two\nlines'),
    *('Größe-café-映像', '-dash', '*', '50%', 'a&b=c', '#1?', '/etc'),
)


def test_ambiguous_or_missing_marker_is_an_error(demo):
    assert demo.fails(*IDS, '--marker', 'golden').startswith(
        "3 images have the name 'golden'; use one of their IDs: "
    )
    line = demo.fails(*IDS, '--marker', 'nope')
    assert line == "No image with a name or ID of 'nope' exists"
    unknown = 'cf84aa10-0000-4000-8000-000000000000'
    assert f'No image found with ID {unknown}' in demo.fails(
        *IDS, '--marker', unknown
    )


# -- microversions of other commands ---------------------------------------


def test_configured_microversion_is_ignored(cloud, configured, images):
    chosen = configured(compute_default_microversion='2.90')
    for shell in (
        cloud.shell('demo', OS_COMPUTE_API_VERSION='2.90'),
        cloud.shell('demo', OS_COMPUTE_API_VERSION='2.36'),
        cloud.shell('demo', OS_COMPUTE_API_VERSION='2'),
        chosen,
    ):
        # OpenStackClient itself may warn about the version, in all commands.
        warning = shell.run('token', 'issue').err
        name = images[1]['Name']
        listed = shell.run(*LIST, '--long', '-f', 'json')
        shown = shell.run(*SHOW, '-f', 'json', name)
        assert (listed.err, shown.err) == (warning, warning)
        assert listed.json() == images
        assert shown.json() == as_fields(images[1])
    words = ('--server', 'web-1', '--flavor', '1')
    listed = chosen.images(*words)
    assert {i['Name'] for i in listed} == {'web-1-snapshot'}


# -- number of requests ----------------------------------------------------


def requests_of(shell: Shell, *words: str) -> list[str]:
    """Return the URL of each request of a command."""
    result = shell.run('--debug', *words)
    assert result.code == 0, result.err
    # The token request is logged in another form, without the password.
    return re.findall(
        r'^(?:REQ: curl|Making authentication request to) .*?(http://[^\s"]+)',
        result.err,
        re.MULTILINE,
    )


def test_list_and_show_by_id_take_three_requests(cloud, demo, images):
    keystone = cloud.facts['keystone_url']
    nova = cloud.facts['regions']['RegionOne']['compute_url']
    image_id = images[0]['ID']
    for words, url in (
        (LIST, f'{nova}/images/detail?limit=1000'),
        ((*SHOW, image_id), f'{nova}/images/{image_id}'),
    ):
        expected = [keystone, f'{keystone}/auth/tokens', url]
        assert requests_of(demo, *words) == expected


def test_show_by_name_takes_at_most_four_requests(demo):
    for name in ('cirros-0.6.2', 'in:foo', '*'):
        assert 3 <= len(requests_of(demo, *SHOW, name)) <= 4


@pytest.mark.parametrize(
    ('count', 'pages'), [(0, 1), (1, 1), (999, 1), (1001, 2), (2500, 3)]
)
def test_list_takes_one_request_per_thousand_images(count, pages):
    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(count)])
    with canned_cloud.canned_cloud(nova) as server:
        shell = Shell(canned_cloud.environment(server))
        assert shell(*IDS).out.split() == [i['id'] for i in nova.images]
        page = 'GET /v2.1/images/detail'
        assert server.paths() == [
            'GET /v3',
            'POST /v3/auth/tokens',
            *[page] * pages,
        ]


# -- rows are printed while pages arrive -----------------------------------


@pytest.mark.parametrize('form', ['csv', 'value'])
@pytest.mark.parametrize(
    'words', [(), ('--name-pattern', '*')], ids=['all', 'filtered']
)
def test_rows_are_printed_before_next_page_arrives(form, words):
    read = threading.Event()
    in_time = []

    def hold(request: Request) -> None:
        if after_the_first_page(request):
            in_time.append(read.wait(PATIENCE))

    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(1001)])
    with canned_cloud.canned_cloud(nova, '/v2.1', hold) as server:
        shell = Shell(canned_cloud.environment(server))
        command = (*LIST, '-f', form, '-c', 'ID', *words)
        with subprocess.Popen(
            [executable(), *command],
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            rows = 1000 + (form == 'csv')
            lines = [process.stdout.readline() for _ in range(rows)]
            read.set()
            rest, error = process.communicate(timeout=PATIENCE)
    assert in_time == [True]
    assert nova.images[999]['id'] in lines[-1]
    assert nova.images[1000]['id'] in rest
    assert (process.returncode, error) == (0, '')


# -- thousands of images ---------------------------------------------------


@pytest.fixture(scope='module')
def thousands(
    cloud: Cloud, admin_glance: Glance
) -> Iterator[list[dict[str, Any]]]:
    """Provide the expected rows of more than 5,000 images."""
    cloud.do('seed', '5100')
    try:
        yield [as_shown(image) for image in admin_glance.images()]
    finally:
        cloud.do('unseed')


def test_list_thousands_of_images(admin, thousands):
    assert len(thousands) > 5100
    assert admin.images() == thousands
    listed = ids(thousands)
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize('size', ['700', '1000', '5000'])
def test_list_thousands_of_images_in_small_pages(admin, thousands, size):
    words = ('--limit', size, '--max-items', '100000')
    assert admin(*IDS, *words).out.split() == ids(thousands)


@pytest.mark.parametrize(
    ('words', 'count'),
    [
        (('--limit', '1500'), 1500),
        (('--limit', '2000'), 2000),
        (('--max-items', '1001'), 1001),
        (('--limit', '100', '--max-items', '250'), 250),
        (('--limit', '250', '--max-items', '100'), 100),
    ],
    ids=str,
)
def test_limit_of_thousands(admin, thousands, words, count):
    assert admin(*IDS, *words).out.split() == ids(thousands)[:count]


def test_marker_in_thousands_of_images(admin, thousands):
    # The marker and the next image were created in the same second.
    middle = next(
        n
        for n in range(3000, len(thousands))
        if thousands[n]['Created At'] == thousands[n + 1]['Created At']
    )
    words = ('--marker', thousands[middle]['Name'], '--limit', '1200')
    expected = ids(thousands)[middle + 1 : middle + 1201]
    assert admin(*IDS, *words).out.split() == expected


def test_filter_thousands_of_images(admin, thousands):
    words = ('--property', 'os_distro=ubuntu', '--min-disk', '>=5')
    assert admin(*IDS, *words).out.split() == [
        image['ID']
        for image in thousands
        if image['Properties'].get('os_distro') == 'ubuntu'
        and image['Min Disk'] >= 5
    ]
