# SPDX-License-Identifier: Apache-2.0

"""Deletions by choice on faulty clouds, each with what must come out.

The first five of six images are selected by their names. The second one is the
one whose deletion goes wrong. The API's tests have more faults of one request.
"""

from osc_lib import exceptions
import pytest
import requests

from testbed import nova
from testbed.fleet import Fleet
from tests.unit.conftest import sent
from tests.unit.running import ID

SELECTED = ('--name-pattern=cirros-[0-4]', '--auto-approve')


@pytest.fixture
def fleet(http):
    return Fleet(nova.images(*range(6))).serve(http)


def listing(*answers):
    """Send these responses to requests for pages."""
    return lambda _fleet, http: http.get(nova.DETAIL, list(answers))


def listing_id(image_id):
    """List the first image with another ID."""
    images = [nova.image(0, id=image_id), *nova.images(1, 2, 3, 4, 5)]
    return listing({'json': nova.page(images)})


def redirected(_fleet, http):
    """Redirect the deletion of the second image to another one."""
    http.delete(
        f'{nova.ENDPOINT}/images/{ID[1]}',
        status_code=307,
        headers={'Location': f'{nova.ENDPOINT}/images/{ID[5]}'},
    )


def lost(fleet, _http):
    """Delete the second image, and reset the connection."""

    def reset(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[1]}'):
            raise requests.exceptions.ConnectionError('reset')

    fleet.after = reset


FIRST = {'json': nova.page(nova.images(0, 1), nova.link(ID[1]))}
TIMEOUT = {'exc': requests.exceptions.ReadTimeout}
ALL = [0, 1, 2, 3, 4, 5]

#: What makes the cloud go wrong, the exit code, the numbers of the images that
#: are left, and a part of the reason or the error.
FAULTS = {
    'ID is a path': (listing_id('../servers/1'), 0, [0, 5], 'is invalid'),
    'ID is of an image not selected': (
        *(listing_id(ID[5]), 1, [0, 5], 'its name changed'),
    ),
    'ID has a query': (listing_id(f'{ID[5]}?f=1#x'), 0, [0, 5], 'gone'),
    'second page: timeout': (listing(FIRST, TIMEOUT), 1, ALL, 'timed out'),
    'deletion: redirect': (redirected, 1, [1, 5], 'redirects'),
    'deletion: reset after it is done': (lost, 0, [5], ''),
}


@pytest.mark.parametrize(
    ('wrong', 'code', 'left', 'says'), FAULTS.values(), ids=FAULTS
)
def test_only_selected_images_are_deleted(
    app, fleet, http, slept, caplog, wrong, code, left, says
):
    wrong(fleet, http)
    try:
        got, told = app.run('delete', '-f', 'json', *SELECTED)
    except exceptions.CommandError as e:
        got, told = 1, str(e)
    assert got == code
    assert says in told + caplog.text
    assert sorted(map(ID.index, fleet.images)) == left
    writes = {line for line in sent(http) if not line.startswith('GET ')}
    assert writes <= {f'DELETE /v2.1/images/{image_id}' for image_id in ID[:5]}
