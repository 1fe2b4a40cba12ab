# SPDX-License-Identifier: Apache-2.0

"""Forms of the URL of Compute, with a real Nova."""

from collections.abc import Callable

import pytest

from testbed import canned_cloud
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
def works(glance, configured) -> Callable[[str], None]:
    """Return a function that makes all kinds of requests to a URL."""
    images = [as_shown(image) for image in glance.images()]
    of_web_1 = [i for i in images if str(i['Name']).startswith('web-1')]

    def check(url: str) -> None:
        shell: Shell = configured(compute_endpoint_override=url)
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
        below = {
            request.path.split('/')[:4] == ['', 'a', 'compute', 'v2.1']
            for request in proxy.requests
            if request.path.count('/') > 3
        }
    assert below == {True}


def test_endpoint_without_version_document(works, nova):
    def without_versions(request: Request) -> Response | None:
        kinds = ('/images', '/servers', '/flavors')
        is_one = any(kind in request.path for kind in kinds)
        return None if is_one else canned_cloud.not_found()

    url = f'{nova}/v2.1'
    with ForwardingProxy(url, '/some', without_versions) as proxy:
        works(f'{proxy.url}/some')


def test_images_not_served_is_not_an_empty_list(configured, nova):
    def at_2_39(request: Request) -> None:
        """Send a microversion that has no images API."""
        if '/images' in request.path:
            request.headers['openstack-api-version'] = 'compute 2.39'

    with ForwardingProxy(nova, before=at_2_39) as proxy:
        shell = configured(compute_endpoint_override=f'{proxy.url}/v2.1')
        line = shell.fails(*IMAGES, 'list', '--name', 'x')
    assert 'it serves microversions 2.1 to 2.1' in line
