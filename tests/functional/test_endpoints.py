# SPDX-License-Identifier: Apache-2.0

"""Forms of the URL of Compute, and mistakes, with a real Keystone and Nova."""

from collections.abc import Callable
from collections.abc import Iterator
import json
import re
import shlex

import pytest

from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import as_shown
from tests.functional.real import Cloud
from tests.functional.shell import Shell

IMAGES = ('compute', 'image')


@pytest.fixture(scope='module')
def nova(cloud: Cloud) -> str:
    """Provide the URL of Nova, without a version."""
    url: str = cloud.facts['regions']['RegionOne']['compute_url']
    return url.removesuffix('/v2.1')


@pytest.fixture(scope='module')
def works(glance, at_endpoint) -> Callable[[str], None]:
    """Return a function that makes all kinds of requests to a URL."""
    images = [as_shown(image) for image in glance.images()]
    of_web_1 = [i for i in images if str(i['Name']).startswith('web-1')]

    def check(url: str) -> None:
        shell: Shell = at_endpoint(url)
        # These request a server, a flavor and three pages.
        words = ('--server', 'web-1', '--flavor', 'm1.large')
        paged = ('--limit', '1', '--max-items', '9')
        assert shell.images(*words, *paged) == of_web_1
        image_id = of_web_1[0]['ID']
        shown = shell(*IMAGES, 'show', image_id, '-f', 'json').json()
        assert shown['properties'] == of_web_1[0]['Properties']

    return check


@pytest.mark.parametrize('form', ['/v2.1/{project}/', '/v2/{project}', ''])
def test_endpoint_override_of_any_form(cloud, works, nova, form):
    works(nova + form.format(project=cloud.facts['projects']['demo']))


def test_endpoint_with_a_path(works, nova):
    with ForwardingProxy(nova, '/a/compute') as proxy:
        works(f'{proxy.url}/a/compute')
    # Nova does not know the path, so its links do not contain it.
    paths = [r.path for r in proxy.requests if r.path.count('/') > 3]
    assert paths
    assert all(path.startswith('/a/compute/v2.1') for path in paths)


def test_images_not_served_is_not_an_empty_list(at_endpoint, nova):
    def at_2_39(request: Request) -> None:
        """Send a microversion that has no images API."""
        if '/images' in request.path:
            request.headers['openstack-api-version'] = 'compute 2.39'

    with ForwardingProxy(nova, before=at_2_39) as proxy:
        shell = at_endpoint(f'{proxy.url}/v2.1')
        line = shell.fails(*IMAGES, 'list', '--name', 'x')
    assert 'it serves microversions 2.1 to 2.1' in line
    assert line.endswith(': openstack image list --name x')


def forbidden(request: Request) -> Response | None:
    """Forbid requests for images, as a policy or a gateway may."""
    if '/images' not in request.path:
        return None
    text = "Policy doesn't allow os_compute_api:images to be performed."
    fault = {'forbidden': {'code': 403, 'message': text}}
    return Response(json.dumps(fault).encode(), 403)


@pytest.fixture(scope='module')
def instead(at_endpoint, nova) -> Iterator[Callable[..., list[str]]]:
    """Return a function that returns the words to use there for others."""
    with ForwardingProxy(nova, before=forbidden) as proxy:
        shell = at_endpoint(f'{proxy.url}/v2.1')
        yield lambda *words: shlex.split(
            shell.fails(*IMAGES, *words).rpartition(': openstack ')[2]
        )


@pytest.mark.parametrize(
    'words',
    [
        ('--name', 'cirros-0.6.2'),
        ('--status', 'active', '--limit', '3'),
        ('--property', 'image_type=snapshot'),
        ('--private', '--marker', 'web-1-snapshot'),
    ],
    ids=' '.join,
)
def test_suggested_list_is_the_same(demo, instead, words):
    words = ('list', *words, '-f', 'value', '-c', 'ID')
    got = sorted(demo(*instead(*words)).out.split())
    assert got
    assert got == sorted(demo(*IMAGES, *words).out.split())


# --- mistakes of users, as Keystone and Nova see them ----------------------

CHECK = (
    ': check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)
UNSCOPED = dict.fromkeys(['OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME'])

#: Variables to set or to remove, words, and the line.
MISTAKES = {
    'password': ({'OS_PASSWORD': 'wrong'}, (), r'.*\(HTTP 401\).*'),
    'region': (
        {'OS_REGION_NAME': 'Nowhere'},
        (),
        f".*choose from 'RegionOne', 'RegionTwo'{CHECK}",
    ),
    'interface': (
        {'OS_INTERFACE': 'none'},
        (),
        f'none endpoint for compute service in .*{CHECK}',
    ),
    'no project': (UNSCOPED, (), f'The service catalog is empty{CHECK}'),
    'no project, and all regions': (
        UNSCOPED,
        ('--all-regions',),
        f'No region in the catalog has a Compute endpoint{CHECK}',
    ),
}


@pytest.mark.parametrize(
    ('changed', 'words', 'said'), MISTAKES.values(), ids=MISTAKES
)
def test_mistake_is_one_line(cloud, tmp_path, changed, words, said):
    user = cloud.clouds()['demo']
    file = tmp_path / 'clouds.yaml'
    # Another file of the user is not read then.
    file.write_text('{}')
    variables = {
        'OS_CLIENT_CONFIG_FILE': str(file),
        'OS_IDENTITY_API_VERSION': '3',
        'OS_REGION_NAME': user['region_name'],
        **{f'OS_{k.upper()}': v for k, v in user['auth'].items()},
        **changed,
    }
    shell = Shell({k: v for k, v in variables.items() if v is not None})
    assert re.fullmatch(said, shell.fails(*IMAGES, 'list', *words))
