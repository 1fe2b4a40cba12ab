# SPDX-License-Identifier: Apache-2.0

"""Find servers and flavors by name, ID or URL."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import functools
import re
import shlex
from typing import Any
from typing import TypeVar

from osc_compute_images.api import _errors
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.listing._decode import member
from osc_compute_images.api.listing._decode import read_page
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.servers import _decode

_Item = TypeVar('_Item', bound=Any)


def only_one(
    kind: str,
    name: str,
    found: Mapping[str, _Item],
    not_found: type[_errors.NotFound],
    advice: str = '',
) -> _Item:
    """Return the only resource that was found for a name.

    :param kind: of the resource, for the message
    :param found: the resources, by ID
    :param not_found: the class of the error if there is none
    :param advice: for that error
    :raises NotFound: if there is none
    :raises AmbiguousName: if there are several
    """
    if not found:
        raise not_found(
            f'No {kind} with a name or ID of {name!r} exists{advice}'
        )
    if len(found) > 1:
        # NOTE: quoted, as users paste IDs into a shell, and an ID can be any
        # text.
        shown = _ids.joined([*map(shlex.quote, found)])
        raise _errors.AmbiguousName(
            f'{len(found)} {kind}s have the name {name!r}; use one of their '
            f'IDs: {shown}',
            ids=[*found],
        )
    return next(iter(found.values()))


def find_server_id(client: Client, name_id_or_url: str) -> str:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_server_id`."""
    last = name_id_or_url.rstrip('/').rpartition('/')[2]
    if _ids.is_canonical(last):
        return last
    candidates = [*_ids.candidates(last)]
    for server_id in candidates:
        with contextlib.suppress(_errors.HTTPError, _errors.InvalidResponse):
            response = client.get(path_to('servers', server_id))
            server = member(response.body, 'server', dict)
            return str(server.get('id') or server_id)
    if _ids.looks_like_id(last):
        # A deleted server has no name. Nova generates IDs in lower case.
        return last.lower()
    named = functools.partial(
        _named, client, '/servers', _decode.servers, name_id_or_url
    )
    # Nova interprets the name as a regular expression.
    query = {'name': f'^{re.escape(name_id_or_url)}$'}
    found = named(query)
    if not found:
        with contextlib.suppress(_errors.Forbidden, _errors.BadRequest):
            # An administrator can also see the servers of other projects.
            found = named({**query, 'all_tenants': '1'})
    if not found and candidates:
        return last
    advice = '; for a deleted server, use its ID'
    return only_one(
        'server', name_id_or_url, found, _errors.ServerNotFound, advice
    ).id


def find_flavor(client: Client, name_or_id: str) -> Flavor:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_flavor`."""
    path = path_to('flavors', name_or_id)
    if name_or_id not in _ids.RESERVED:
        with contextlib.suppress(_errors.NotFound, _errors.BadRequest):
            body = client.get(path).body
            return _decode.flavor(member(body, 'flavor', dict))
    # is_public=none: include private flavors for an administrator.
    found = _named(
        client,
        '/flavors/detail',
        lambda entries: [*map(_decode.flavor, entries)],
        name_or_id,
        {'is_public': 'none'},
    )
    return only_one('flavor', name_or_id, found, _errors.FlavorNotFound)


def _named(
    client: Client,
    path: str,
    decode: Callable[[Sequence[Any]], list[_Item]],
    name: str,
    query: Mapping[str, str],
) -> dict[str, _Item]:
    """Return the resources of a collection with a name, by ID."""
    kind = path.split('/')[1]
    listed = Pager(
        lambda query: client.get(path, query).body,
        lambda body: read_page(body, kind, decode),
        Query(query),
        kind,
    )
    return {item.id: item for item in listed if item.name == name}
