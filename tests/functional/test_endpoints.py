# SPDX-License-Identifier: Apache-2.0

"""All the forms that the URL of Compute has, before a real Nova."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
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
    """Provide a check of all kinds of requests."""
    images = [as_shown(image) for image in glance.images()]
    of_web_1 = [i for i in images if str(i['Name']).startswith('web-1')]

    def check(shell: Shell) -> None:
        # A server and a flavor are asked for, and then three pages.
        words = ('--server', 'web-1', '--flavor', 'm1.large')
        paged = ('--limit', '1', '--max-items', '9')
        assert shell(*LIST, *words, *paged).json() == of_web_1
        image_id = of_web_1[0]['ID']
        shown = shell(*IMAGES, 'show', image_id, '-f', 'json').json()
        assert shown['properties'] == of_web_1[0]['Properties']

    return check


# -- forms that lead to Nova itself ----------------------------------------

FORMS = ('/v2.1', '/v2.1/', '/v2.1/{project}', '/v2.1/{project}/', '/v2', '')
LEGACY = '/v2/{project}'


@pytest.mark.parametrize('form', [*FORMS, LEGACY])
def test_an_override_of_any_form_works(cloud, configured, works, nova, form):
    url = nova + form.format(project=cloud.facts['projects']['demo'])
    works(configured(compute_endpoint_override=url))


@pytest.fixture
def in_catalog(
    cloud: Cloud, configured: Callable[..., Shell]
) -> Iterator[Callable[[str], Shell]]:
    """Provide a maker of a shell in whose region Compute has another URL."""
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


@pytest.mark.parametrize(
    'form', ['/v2.1/', '/v2.1/$(project_id)s', '/v2/%(tenant_id)s', '']
)
def test_a_catalog_entry_of_any_form_works(in_catalog, works, nova, form):
    works(in_catalog(nova + form))


# -- behind a proxy --------------------------------------------------------


@pytest.mark.parametrize('prefix', ['/compute', '/nova', '/a/b/compute'])
def test_it_works_behind_a_path(configured, works, nova, prefix):
    with ForwardingProxy(nova, prefix) as proxy:
        url = f'{proxy.url}{prefix}/v2.1'
        works(configured(compute_endpoint_override=url))
        # Nova knows nothing of the path, and so its links do not have it.
        assert {r.path.startswith(prefix) for r in proxy.requests} == {True}


def test_an_endpoint_without_a_version_is_asked_for_its_versions(
    configured, works, nova
):
    with ForwardingProxy(nova, '/compute') as proxy:
        works(configured(compute_endpoint_override=f'{proxy.url}/compute'))
        asked = [path for path in proxy.paths() if '/v2' not in path]
        assert asked
        assert {path.rstrip('/') for path in asked} == {'GET /compute'}


def test_an_endpoint_with_a_version_is_not(configured, works, nova):
    with ForwardingProxy(nova) as proxy:
        works(configured(compute_endpoint_override=f'{proxy.url}/v2.1'))
        assert {
            p.removeprefix('GET /v2.1/').partition('/')[0]
            for p in proxy.paths()
        } == {'images', 'servers', 'flavors'}


def without_versions(request: Request) -> Response | None:
    """Answer that there is no version document."""
    path = request.path.rstrip('/')
    kinds = ('/images', '/servers', '/flavors')
    return (
        None
        if any(kind in path for kind in kinds)
        else canned_cloud.not_found()
    )


@pytest.mark.parametrize('path', ['/v2.1', '/v2.1/', '/v2/'])
def test_an_override_with_no_version_document_works(
    configured, works, nova, path
):
    with ForwardingProxy(nova, before=without_versions) as proxy:
        works(configured(compute_endpoint_override=proxy.url + path))


def test_nor_does_it_need_a_version_in_its_path(configured, works, nova):
    with ForwardingProxy(
        f'{nova}/v2.1', '/of-some-kind', without_versions
    ) as proxy:
        url = f'{proxy.url}/of-some-kind'
        works(configured(compute_endpoint_override=url))


# -- where Compute serves no images any more -------------------------------


def at_2_39(request: Request) -> None:
    """Ask Nova at a microversion that has no images API."""
    if '/images' in request.path:
        request.headers['openstack-api-version'] = 'compute 2.39'


COMMANDS = [
    ('list',),
    ('list', '--name', 'x'),
    ('show', 'x'),
    ('show', '00000000-0000-4000-8000-000000000000'),
    ('show', '00000000-0000-4000-8000-000000000000', '--wait'),
    ('delete', 'x'),
    ('set', '--property', 'a=b', 'x'),
    ('unset', '--property', 'a', 'x'),
]


def last_line(shell: Shell, *words: str) -> str:
    """Return the line that tells why a command failed."""
    result = shell.run(*IMAGES, *words)
    assert (result.code, result.out) == (1, ''), result.err
    lines = [line for line in result.err.splitlines() if 'HTTP' in line]
    assert len(lines) == 1, result.err
    assert 'Traceback' not in result.err
    return lines[0]


@pytest.mark.parametrize('words', COMMANDS, ids=' '.join)
def test_a_nova_without_images_is_not_one_with_none(configured, nova, words):
    with ForwardingProxy(nova, before=at_2_39) as proxy:
        url = f'{proxy.url}/v2.1'
        line = last_line(configured(compute_endpoint_override=url), *words)
    assert 'The Compute service does not serve images here' in line
    assert 'it serves microversions 2.1 to 2.1' in line
    assert 'The resource could not be found.' in line
    assert line.endswith('Use the "openstack image list" command instead')


@contextlib.contextmanager
def later_nova(document: Response) -> Iterator[Shell]:
    """Run a cloud whose Compute has lost its images.

    :param document: what it answers about its versions
    """

    def nova(request: Request) -> Response | None:
        if request.path.rstrip('/') == '/v2.1':
            return document
        return canned_cloud.fault(
            404, 'itemNotFound', 'The resource could not be found.'
        )

    with canned_cloud.canned_cloud(nova) as server:
        yield Shell(canned_cloud.environment(server))


def version(**fields: str) -> Response:
    """Answer with the versions that Compute serves."""
    links = [{'rel': 'self', 'href': 'http://nova:8774/v2.1/'}]
    known = {'id': 'v2.1', 'status': 'CURRENT', 'links': links}
    return Response.of({'version': {**known, **fields}})


@pytest.mark.parametrize('words', COMMANDS[:4], ids=' '.join)
def test_the_message_names_the_versions_that_are_served(words):
    document = version(min_version='2.36', version='2.120')
    with later_nova(document) as shell:
        line = last_line(shell, *words)
    assert 'it serves microversions 2.36 to 2.120,' in line
    assert line.endswith('Use the "openstack image list" command instead')


@pytest.mark.parametrize(
    'document',
    [version(), version(min_version='', version=''), canned_cloud.not_found()],
    ids=['no range', 'an empty range', 'no document'],
)
def test_so_it_does_where_these_are_not_told(document):
    with later_nova(document) as shell:
        line = last_line(shell, 'list')
    assert 'it serves microversions that it does not tell' in line
    assert line.endswith('Use the "openstack image list" command instead')


def test_an_image_that_does_not_exist_is_nothing_of_that(demo):
    unknown = COMMANDS[3][1]
    line = demo.fails(*IMAGES, 'show', unknown)
    assert line == f'No image with a name or ID of {unknown!r} exists'
