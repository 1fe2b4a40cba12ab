# SPDX-License-Identifier: Apache-2.0

"""Other URLs of Compute, proxies before it, and mistakes of users."""

import json
import re
import shlex

import pytest

from testbed.canned_cloud import fault
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import Cloud

LIST = ('compute', 'image', 'list')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

#: These request a server, a flavor and several pages.
WORDS = (
    *('--server', 'web-1', '--flavor', 'm1.large'),
    *('--limit', '1', '--max-items', '9'),
)


@pytest.fixture(scope='module')
def nova(cloud: Cloud) -> str:
    """Provide the URL of Nova, without a version."""
    url: str = cloud.facts['regions']['RegionOne']['compute_url']
    return url.removesuffix('/v2.1')


@pytest.mark.parametrize('form', ['/v2.1/{project}/', '/v2/{project}', ''])
def test_endpoint_override_of_any_form(cloud, demo, at_endpoint, nova, form):
    url = nova + form.format(project=cloud.facts['projects']['demo'])
    images = at_endpoint(url).images(*WORDS)
    assert len(images) > 1
    assert images == demo.images(*WORDS)


def test_endpoint_with_a_path(demo, at_endpoint, nova):
    with ForwardingProxy(nova, '/a/compute') as proxy:
        images = at_endpoint(f'{proxy.url}/a/compute').images(*WORDS)
    assert images == demo.images(*WORDS)
    # Nova does not know the path, so its links do not contain it.
    paths = [r.path for r in proxy.requests if r.path.count('/') > 3]
    assert paths
    assert all(path.startswith('/a/compute/v2.1') for path in paths)


# --- what happens between two pages ----------------------------------------

#: Images per page: there are more than three pages.
PAGE = 12

TOKEN = 'x-auth-token'


@pytest.mark.parametrize(
    'vanish',
    # Nova rejects a deleted marker.
    [(0, PAGE // 2, PAGE, 2 * PAGE - 1), (PAGE - 1,), range(PAGE)],
    ids=['some', 'the last of a page', 'all of a page'],
)
def test_token_and_images_change_while_listing(
    at_endpoint, nova, images, vanish
):
    # The first pages are of these.
    for number in range(2 * PAGE):
        images(f'mine-{number}', data=None)
    ids = [image['id'] for image in images.images()]
    assert len(ids) > 4 * PAGE
    todo = [*(lambda n=n: images.delete(ids[n]) for n in vanish), images]
    tokens = []

    def before(request: Request) -> None:
        if 'marker' in request.query:
            tokens.append(request.headers[TOKEN])
            if len(tokens) == 1:
                # Nova rejects this, as an expired token.
                request.headers[TOKEN] = 'gAAAAAB-no-token-of-this-keystone'
            while todo:
                todo.pop(0)()

    with ForwardingProxy(nova, before=before) as proxy:
        words = ('--limit', str(PAGE), '--max-items', '100000')
        listed = at_endpoint(f'{proxy.url}/v2.1')(*IDS, *words).out.split()
    queries = [request.query for request in proxy.requests]
    markers = [query['marker'] for query in queries if 'marker' in query]
    assert markers[:2] == [ids[PAGE - 1]] * 2
    assert tokens[0] not in tokens[1:]
    expected = [i for n, i in enumerate(ids) if n >= PAGE and n not in vanish]
    if len(vanish) == PAGE:
        # The list starts over, and so includes new images.
        expected = [image['id'] for image in images.images()]
        assert len(expected) == len(ids) - PAGE + 1
    assert listed == ids[:PAGE] + expected


# --- images that Compute does not serve, or forbids ------------------------


def test_images_not_served_is_not_an_empty_list(at_endpoint, nova):
    def at_2_39(request: Request) -> None:
        """Send a microversion that has no images API."""
        if '/images' in request.path:
            request.headers['openstack-api-version'] = 'compute 2.39'

    with ForwardingProxy(nova, before=at_2_39) as proxy:
        line = at_endpoint(f'{proxy.url}/v2.1').fails(*LIST, '--name', 'x')
    assert re.search(
        r'serves microversions 2\.1 to 2\.\d+, and responds', line
    )
    assert line.endswith(': openstack image list --name x')


def forbidden(request: Request) -> Response | None:
    """Forbid requests for images, as a policy or a gateway may."""
    if '/images' not in request.path:
        return None
    text = "Policy doesn't allow os_compute_api:images to be performed."
    return fault(403, 'forbidden', text)


def test_suggested_list_is_the_same(demo, at_endpoint, nova):
    with ForwardingProxy(nova, before=forbidden) as proxy:
        shell = at_endpoint(f'{proxy.url}/v2.1')
        for words in (
            ('--name', 'cirros-0.6.2'),
            ('--status', 'active', '--limit', '3'),
            ('--property', 'image_type=snapshot'),
            ('--private', '--marker', 'web-1-snapshot'),
        ):
            line = shell.fails(*IDS, *words).rpartition(': openstack ')[2]
            got = demo(*shlex.split(line)).out.split()
            assert got
            assert sorted(got) == sorted(demo(*IDS, *words).out.split())


# --- mistakes of users, as Keystone sees them ------------------------------


def test_mistake_is_one_line(cloud, tmp_path):
    wrong = cloud.shell('demo', OS_PASSWORD='wrong')
    assert '(HTTP 401)' in wrong.fails(*LIST)
    clouds = cloud.clouds()
    del clouds['demo']['auth']['project_name']
    file = tmp_path / 'clouds.yaml'
    file.write_text(json.dumps({'clouds': clouds}))
    unscoped = cloud.shell('demo', OS_CLIENT_CONFIG_FILE=str(file))
    assert unscoped.fails(*LIST) == (
        'The service catalog is empty: check the project, the region and the '
        'interface; "openstack catalog list" shows the available endpoints'
    )
