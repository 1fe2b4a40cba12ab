# SPDX-License-Identifier: Apache-2.0

"""Faults of a cloud whose images are deleted, each with what must come out.

The first five of six images are selected by their names. The second one is the
one whose deletion goes wrong.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
from typing import Any

import requests
import requests_mock

from testbed import nova
from testbed.faults import HTML
from testbed.fleet import Fleet

ID = [nova.image_id(number) for number in range(6)]
SECOND = f'{nova.ENDPOINT}/images/{ID[1]}'
#: A server that is not mocked: requests to it fail.
FOREIGN = 'http://foreign.example.com:8774/v2.1'

Wrong = Callable[[Fleet, requests_mock.Mocker], object]


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault, and what must come out.

    :param wrong: makes the cloud go wrong
    :param left: numbers of the images that are left; no other image and
        nothing else is written to
    :param says: part of the reason or the error
    :param code: exit code
    """

    wrong: Wrong
    left: tuple[int, ...]
    says: str = ''
    code: int = 1


def listing(*answers: dict[str, Any]) -> Wrong:
    """Send these responses to requests for pages."""
    return lambda _fleet, http: http.get(nova.DETAIL, list(answers))


def listing_id(image_id: str) -> Wrong:
    """List the first image with another ID."""
    images = [nova.image(0, id=image_id), *nova.images(1, 2, 3, 4, 5)]
    return listing({'json': nova.page(images)})


def second_page(**answer: Any) -> Wrong:
    """Send this response to requests for pages after the first."""
    first = nova.page(nova.images(0, 1), nova.link(ID[1]))
    return listing({'json': first}, answer)


def deletion(**answer: Any) -> Wrong:
    """Do not delete the second image, and send this response."""
    return lambda _fleet, http: http.delete(SECOND, **answer)


def renamed(fleet: Fleet, _http: requests_mock.Mocker) -> None:
    def rename(method: str, path: str) -> None:
        if (method, path) == ('GET', f'/images/{ID[1]}'):
            fleet.images[ID[1]]['name'] = 'precious'

    fleet.before = rename


def gone(fleet: Fleet, _http: requests_mock.Mocker) -> None:
    def lose(_method: str, path: str) -> None:
        if path == f'/images/{ID[1]}':
            fleet.images.pop(ID[1], None)

    fleet.before = lose


def lost(fleet: Fleet, _http: requests_mock.Mocker) -> None:
    """Delete the second image, and reset the connection."""

    def reset(method: str, path: str) -> None:
        if (method, path) == ('DELETE', f'/images/{ID[1]}'):
            raise requests.exceptions.ConnectionError('reset')

    fleet.after = reset


ALL = (0, 1, 2, 3, 4, 5)
INVALID = 'its ID is invalid'
GATEWAY = {'status_code': 502, 'content': HTML}
BOOM = nova.fault(500, 'computeFault', 'boom')

DELETIONS: Mapping[str, Fault] = {
    'no fault': Fault(lambda *_: None, (5,), code=0),
    'an ID is another path': Fault(
        listing_id('../servers/1'), (0, 5), INVALID, 0
    ),
    'an ID is the path of a property': Fault(
        listing_id(f'{ID[5]}/metadata/k'), (0, 5), INVALID, 0
    ),
    'an ID is ..': Fault(listing_id('..'), (0, 5), INVALID, 0),
    'an ID is empty': Fault(listing_id(''), (0, 5), INVALID, 0),
    'an ID is that of an image that is not selected': Fault(
        listing_id(ID[5]), (0, 5), 'its name changed'
    ),
    'an ID has a query and a fragment': Fault(
        listing_id(f'{ID[5]}?force=1#x'), (0, 5), 'gone', 0
    ),
    'an image is renamed after it is listed': Fault(
        renamed, (1, 5), 'its name changed'
    ),
    'an image is deleted after it is listed': Fault(gone, (5,), 'gone', 0),
    'the list is redirected': Fault(
        listing({'status_code': 302, 'headers': {'Location': FOREIGN}}),
        ALL,
        'redirects',
    ),
    'the list links to another host': Fault(
        listing(
            {
                'json': nova.page(
                    nova.images(0, 1),
                    f'{FOREIGN}/images/detail?marker={ID[1]}',
                )
            },
            {'json': nova.page(nova.images(2, 3, 4, 5))},
        ),
        (5,),
        code=0,
    ),
    'an empty page links to itself': Fault(
        second_page(json=nova.page([], nova.link(ID[1]))),
        ALL,
        'repeats',
    ),
    'second page: 503': Fault(second_page(status_code=503), ALL, '503'),
    'second page: HTML': Fault(second_page(content=HTML), ALL, 'not from'),
    'second page: timeout': Fault(
        second_page(exc=requests.exceptions.ReadTimeout), ALL, 'timed out'
    ),
    'deletion: redirect to another image': Fault(
        deletion(
            status_code=307,
            headers={'Location': f'{nova.ENDPOINT}/images/{ID[5]}'},
        ),
        (1, 5),
        'redirects',
    ),
    'deletion: redirect to another host': Fault(
        deletion(
            status_code=307, headers={'Location': f'{FOREIGN}/images/{ID[1]}'}
        ),
        (1, 5),
        'redirects',
    ),
    'deletion: 403': Fault(
        deletion(**nova.fault(403, 'forbidden', 'Protected')),
        (1, 5),
        'Protected',
    ),
    'deletion: 500': Fault(deletion(**BOOM), (1, 5), 'boom'),
    'deletion: 502 with HTML': Fault(
        deletion(**GATEWAY), (1, 5), '502 Bad Gateway'
    ),
    'deletion: 200 with HTML': Fault(
        deletion(content=HTML), (1, 5), 'not from'
    ),
    'deletion: timeout': Fault(
        deletion(exc=requests.exceptions.ReadTimeout), (1, 5), 'timed out'
    ),
    'deletion: connection reset after it is done': Fault(lost, (5,), code=0),
}
