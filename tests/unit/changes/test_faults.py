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
from tests.unit.running import App

ID = [nova.image_id(number) for number in range(6)]
#: A server that is not mocked: requests to it fail.
FOREIGN = 'http://foreign.example.com:8774/v2.1'
SELECTED = ('--name-pattern=cirros-[0-4]', '--auto-approve')


def listing(*answers):
    """Send these responses to requests for pages."""
    return lambda _fleet, http: http.get(nova.DETAIL, list(answers))


def listing_id(image_id):
    """List the first image with another ID."""
    images = [nova.image(0, id=image_id), *nova.images(1, 2, 3, 4, 5)]
    return listing({'json': nova.page(images)})


def second_page(**answer):
    """Send this response to requests for pages after the first."""
    first = nova.page(nova.images(0, 1), nova.link(ID[1]))
    return listing({'json': first}, answer)


def deletion(**answer):
    """Do not delete the second image, and send this response."""
    url = f'{nova.ENDPOINT}/images/{ID[1]}'
    return lambda _fleet, http: http.delete(url, **answer)


def redirect(url):
    return {'status_code': 307, 'headers': {'Location': url}}


def renamed(fleet, _http):
    def rename(method, path):
        if (method, path) == ('GET', f'/images/{ID[1]}'):
            fleet.images[ID[1]]['name'] = 'precious'

    fleet.before = rename


def lost(fleet, _http):
    """Delete the second image, and reset the connection."""

    def reset(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[1]}'):
            raise requests.exceptions.ConnectionError('reset')

    fleet.after = reset


LINKED = nova.page(nova.images(0, 1), f'{FOREIGN}/images/detail?marker=x')
TIMEOUT = {'exc': requests.exceptions.ReadTimeout}
ALL = [0, 1, 2, 3, 4, 5]
CHANGED = 'its name changed'

#: What makes the cloud go wrong, the exit code, the numbers of the images that
#: are left, and a part of the reason or the error.
FAULTS = {
    'none': (lambda *_: None, 0, [5], ''),
    'ID is a path': (listing_id('../servers/1'), 0, [0, 5], 'is invalid'),
    'ID is of an image not selected': (listing_id(ID[5]), 1, [0, 5], CHANGED),
    'ID has a query': (listing_id(f'{ID[5]}?f=1#x'), 0, [0, 5], 'gone'),
    'image is renamed': (renamed, 1, [1, 5], CHANGED),
    'list is redirected': (listing(redirect(FOREIGN)), 1, ALL, 'redirects'),
    'list links to another host': (
        listing({'json': LINKED}, {'json': nova.page(nova.images(2, 3, 4))}),
        *(0, [5], ''),
    ),
    'empty page links to itself': (
        second_page(json=nova.page([], nova.link(ID[1]))),
        *(1, ALL, 'repeats'),
    ),
    'second page: timeout': (second_page(**TIMEOUT), 1, ALL, 'timed out'),
    'deletion: redirect to another image': (
        deletion(**redirect(f'{nova.ENDPOINT}/images/{ID[5]}')),
        *(1, [1, 5], 'redirects'),
    ),
    'deletion: timeout': (deletion(**TIMEOUT), 1, [1, 5], 'timed out'),
    'deletion: reset after it is done': (lost, 0, [5], ''),
}


@pytest.mark.parametrize(
    ('wrong', 'code', 'left', 'says'), FAULTS.values(), ids=FAULTS
)
def test_only_selected_images_are_deleted(
    http, slept, tmp_path, caplog, wrong, code, left, says
):
    fleet = Fleet(nova.images(*range(6))).serve(http)
    wrong(fleet, http)
    app = App(tmp_path)
    try:
        got, told = app.run('delete', '-f', 'json', *SELECTED)
    except exceptions.CommandError as e:
        got, told = 1, str(e)
    assert got == code
    assert says in told + caplog.text
    assert sorted(map(ID.index, fleet.images)) == left
    writes = {line for line in sent(http) if not line.startswith('GET ')}
    assert writes <= {f'DELETE /v2.1/images/{image_id}' for image_id in ID[:5]}
