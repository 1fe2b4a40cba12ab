# SPDX-License-Identifier: Apache-2.0

"""Finding the one resource that a user means."""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import re
from typing import Any

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api._options import MAX_PAGE_SIZE
from osc_compute_images.api.http import Client
from osc_compute_images.api.http import path_to

_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)


def looks_like_id(text: str) -> bool:
    """Tell whether a text has the form of an image's or server's ID."""
    return _UUID.fullmatch(text) is not None


@dataclasses.dataclass(frozen=True)
class Flavor:
    """What a flavor offers to an image.

    :param id: any text, unique
    :param name: any text, unique
    :param ram: memory, MB
    :param disk: disk, GB; 0 for one whose servers boot from a volume
    """

    id: str
    name: str
    ram: int
    disk: int


def only_one(
    kind: str,
    name: str,
    ids: Iterable[str],
    not_found: type[_errors.NotFound],
) -> str:
    """Return the only ID that a name stands for.

    :param kind: what is looked for, for the message
    :raises NotFound: of the class given, if there is none
    :raises AmbiguousName: if there are several
    """
    several = list(ids)
    if not several:
        raise not_found(f'No {kind} with a name or ID of {name!r} exists')
    if len(several) > 1:
        raise _errors.AmbiguousName(
            f'{len(several)} {kind}s have the name {name!r}; use one of their '
            f'IDs: {", ".join(several)}',
            ids=several,
        )
    return several[0]


def find_server_id(client: Client, name_id_or_url: str) -> str:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_server_id`."""
    last = name_id_or_url.rstrip('/').rpartition('/')[2]
    if looks_like_id(last):
        return last.lower()
    # Nova takes the name for a regular expression.
    query = {
        'name': f'^{re.escape(name_id_or_url)}$',
        'limit': MAX_PAGE_SIZE,
    }
    ids = list(_servers_named(client, name_id_or_url, query))
    if not ids:
        try:
            # For an administrator, it may be in any project.
            query['all_tenants'] = 1
            ids = list(_servers_named(client, name_id_or_url, query))
        except (_errors.Forbidden, _errors.BadRequest):
            pass
    try:
        return only_one('server', name_id_or_url, ids, _errors.ServerNotFound)
    except _errors.ServerNotFound as e:
        raise _errors.ServerNotFound(
            f'{e.message}; for a server that is deleted, give its ID'
        ) from None


def _servers_named(
    client: Client, name: str, query: dict[str, Any]
) -> Iterator[str]:
    body = client.get('/servers', query)
    for server in _decode.member(body, 'servers', list):
        if isinstance(server, dict) and server.get('name') == name:
            yield str(server.get('id'))


def find_flavor(client: Client, name_or_id: str) -> Flavor:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_flavor`."""
    path = path_to('flavors', name_or_id)
    if name_or_id not in ('', '.', '..', 'detail'):
        try:
            body = client.get(path)
            return _flavor(_decode.member(body, 'flavor', dict))
        except (_errors.NotFound, _errors.BadRequest):
            pass
    # is_public=none: an administrator sees the private ones, too.
    query: dict[str, Any] = {'is_public': 'none', 'limit': MAX_PAGE_SIZE}
    named = {}
    while True:
        body = client.get('/flavors/detail', query)
        page = [_flavor(f) for f in _decode.member(body, 'flavors', list)]
        named.update({f.id: f for f in page if f.name == name_or_id})
        # A page may be shorter than was asked for: the server has a limit.
        more = len(page) >= MAX_PAGE_SIZE or _decode.has_next(body, 'flavors')
        if not page or not more or page[-1].id == query.get('marker'):
            break
        query['marker'] = page[-1].id
    return named[only_one('flavor', name_or_id, named, _errors.FlavorNotFound)]


def _flavor(entry: Any) -> Flavor:
    try:
        return Flavor(
            id=str(entry['id']),
            name=str(entry['name']),
            ram=int(entry['ram']),
            disk=int(entry['disk']),
        )
    except (KeyError, TypeError, ValueError) as e:
        raise _errors.InvalidResponse(
            f'The server describes a flavor without a valid {e}'
        ) from e
