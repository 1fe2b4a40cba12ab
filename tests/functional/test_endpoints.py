# SPDX-License-Identifier: Apache-2.0

"""All forms of the URL of Compute, with a real Nova."""

from collections.abc import Callable
from collections.abc import Iterator
import json
import shlex
import uuid

import openstack
import pytest

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.conftest import as_shown
from tests.functional.conftest import Cloud
from tests.functional.conftest import Shell

IMAGES = ('compute', 'image')
LIST = (*IMAGES, 'list', '--long', '-f', 'json')


@pytest.fixture(scope='module')
def nova(cloud: Cloud) -> str:
    """Provide the URL of Nova, without a version."""
    url: str = cloud.facts['regions']['RegionOne']['compute_url']
    return url.removesuffix('/v2.1')


@pytest.fixture(scope='module')
def works(glance) -> Callable[[Shell], None]:
    """Return a function that checks all kinds of requests."""
    images = [as_shown(image) for image in glance.images()]
    of_web_1 = [i for i in images if str(i['Name']).startswith('web-1')]

    def check(shell: Shell) -> None:
        # These request a server, a flavor and three pages.
        words = ('--server', 'web-1', '--flavor', 'm1.large')
        paged = ('--limit', '1', '--max-items', '9')
        assert shell(*LIST, *words, *paged).json() == of_web_1
        image_id = of_web_1[0]['ID']
        shown = shell(*IMAGES, 'show', image_id, '-f', 'json').json()
        assert shown['properties'] == of_web_1[0]['Properties']

    return check


# -- without a proxy -------------------------------------------------------


@pytest.mark.parametrize(
    'form',
    ['/v2.1/', '/v2.1/{project}', '/v2.1/{project}/', '/v2/{project}', ''],
)
def test_endpoint_override_of_any_form(cloud, configured, works, nova, form):
    url = nova + form.format(project=cloud.facts['projects']['demo'])
    works(configured(compute_endpoint_override=url))


@pytest.fixture
def in_catalog(
    cloud: Cloud, configured: Callable[..., Shell]
) -> Iterator[Callable[[str], Shell]]:
    """Return a function that changes the URL of Compute in the catalog."""
    config = openstack.config.OpenStackConfig(
        config_files=[cloud.facts['clouds_yaml']], load_envvars=False
    )
    keystone = openstack.connection.Connection(
        config=config.get_one(cloud='admin')
    ).identity
    region = keystone.create_region(id=f'form-{uuid.uuid4()}')
    endpoints = []

    def make(url: str) -> Shell:
        service = next(keystone.services(type='compute'))
        endpoint = keystone.create_endpoint(
            service_id=service.id,
            region_id=region.id,
            interface='public',
            url=url,
        )
        endpoints.append(endpoint)
        return configured(region_name=region.id)

    yield make
    for endpoint in endpoints:
        keystone.delete_endpoint(endpoint)
    keystone.delete_region(region)


@pytest.mark.parametrize('form', ['/v2.1/$(project_id)s', ''])
def test_catalog_entry_of_any_form(in_catalog, works, nova, form):
    works(in_catalog(nova + form))


# -- behind a proxy --------------------------------------------------------


@pytest.mark.parametrize('version', ['/v2.1', ''])
def test_endpoint_with_a_path(configured, works, nova, version):
    with ForwardingProxy(nova, '/a/compute') as proxy:
        url = f'{proxy.url}/a/compute{version}'
        works(configured(compute_endpoint_override=url))
        # Nova does not know the path, so its links do not contain it.
        below = {
            request.path.split('/')[:4] == ['', 'a', 'compute', 'v2.1']
            for request in proxy.requests
            if request.path.count('/') > 3
        }
    assert below == {True}


def without_versions(request: Request) -> Response | None:
    """Return a 404 for version documents."""
    path = request.path.rstrip('/')
    kinds = ('/images', '/servers', '/flavors')
    return (
        None
        if any(kind in path for kind in kinds)
        else canned_cloud.not_found()
    )


def test_endpoint_override_without_version_document(configured, works, nova):
    with ForwardingProxy(nova, before=without_versions) as proxy:
        works(configured(compute_endpoint_override=f'{proxy.url}/v2/'))


def test_endpoint_override_without_version_in_path(configured, works, nova):
    with ForwardingProxy(
        f'{nova}/v2.1', '/of-some-kind', without_versions
    ) as proxy:
        url = f'{proxy.url}/of-some-kind'
        works(configured(compute_endpoint_override=url))


# -- Compute without the images API ----------------------------------------


def at_2_39(request: Request) -> None:
    """Send a microversion that has no images API."""
    if '/images' in request.path:
        request.headers['openstack-api-version'] = 'compute 2.39'


@pytest.mark.parametrize(
    'words',
    [
        ('list', '--name', 'x'),
        ('show', '00000000-0000-4000-8000-000000000000', '--wait'),
        ('delete', 'x'),
        ('set', '--property', 'a=b', 'x'),
    ],
    ids=' '.join,
)
def test_images_not_served_is_not_an_empty_list(configured, nova, words):
    with ForwardingProxy(nova, before=at_2_39) as proxy:
        shell = configured(compute_endpoint_override=f'{proxy.url}/v2.1')
        result = shell.run(*IMAGES, *words)
    assert (result.code, result.out) == (1, ''), result.err
    [line] = result.err.splitlines()
    assert 'The Compute service does not serve images' in line
    assert 'it serves microversions 2.1 to 2.1' in line
    suggested = f': openstack image {" ".join(words)}'
    assert line.endswith(suggested) == ('--wait' not in words)


def forbidden(request: Request) -> Response | None:
    """Forbid requests for images, as a policy or a gateway may."""
    if '/images' not in request.path:
        return None
    text = "Policy doesn't allow os_compute_api:images to be performed."
    fault = {'forbidden': {'code': 403, 'message': text}}
    return Response(json.dumps(fault).encode(), 403)


@pytest.fixture(scope='module')
def without_images(configured, nova) -> Iterator[Callable[..., str]]:
    """Return a function that runs a command there: the one to use instead."""
    with ForwardingProxy(nova, before=forbidden) as proxy:
        shell = configured(compute_endpoint_override=f'{proxy.url}/v2.1')

        def run(*words: str) -> str:
            result = shell.run(*IMAGES, *words)
            assert (result.code, result.out) == (1, ''), result.err
            [line] = result.err.splitlines()
            return line.rpartition(': openstack ')[2]

        yield run


@pytest.mark.parametrize(
    'words',
    [
        ('--name', 'cirros-0.6.2'),
        ('--status', 'active', '--limit', '3'),
        ('--property', 'image_type=snapshot'),
        ('--private', '--max-items', '2'),
    ],
    ids=' '.join,
)
def test_suggested_list_is_the_same(demo, without_images, words):
    words = ('list', *words, '-f', 'value', '-c', 'ID')
    instead = shlex.split(without_images(*words))
    got = sorted(demo(*instead).out.split())
    assert got
    assert got == sorted(demo(*IMAGES, *words).out.split())


def test_suggested_changes_are_the_same(demo, glance, images, without_images):
    image_id = images("it's a name", a='1', b='2')
    for words in (
        ('set', '--property', 'c=$(x)', "it's a name"),
        ('unset', "it's a name", '--property', 'a'),
    ):
        demo(*shlex.split(without_images(*words)))
    image = glance.image(image_id)
    assert (image['b'], image['c'], 'a' in image) == ('2', '$(x)', False)
    demo(*shlex.split(without_images('delete', "it's a name")))
    assert glance.image(image_id) is None
