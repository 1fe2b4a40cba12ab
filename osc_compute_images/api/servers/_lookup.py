# SPDX-License-Identifier: Apache-2.0

"""Find servers and flavors by name, ID or URL."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import re
import shlex
from typing import Any
from typing import NamedTuple

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.http import Client
from osc_compute_images.api.http import path_to
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Flavor


class _Server(NamedTuple):
    id: str
    name: Any


def only_one(
    kind: str,
    name: str,
    ids: Iterable[str],
    not_found: type[_errors.NotFound],
) -> str:
    """Return the only ID that was found for a name.

    :param kind: of the resource, for the message
    :param not_found: the class of the error if there is none
    :raises NotFound: if there is none
    :raises AmbiguousName: if there are several
    """
    found = list(ids)
    if not found:
        raise not_found(f'No {kind} with a name or ID of {name!r} exists')
    if len(found) > 1:
        # NOTE: quoted, as users paste IDs into a shell, and an ID can be any
        # text.
        quoted = map(shlex.quote, found[: _limits.MAX_IDS_SHOWN])
        shown = ', '.join(quoted)
        if len(found) > _limits.MAX_IDS_SHOWN:
            shown += ', ...'
        raise _errors.AmbiguousName(
            f'{len(found)} {kind}s have the name {name!r}; use one of their '
            f'IDs: {shown}',
            ids=found,
        )
    return found[0]


def find_server_id(client: Client, name_id_or_url: str) -> str:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_server_id`."""
    last = name_id_or_url.rstrip('/').rpartition('/')[2]
    if _ids.is_canonical(last):
        return last
    candidates = [*_ids.candidates(last)]
    for server_id in candidates:
        with contextlib.suppress(_errors.HTTPError, _errors.InvalidResponse):
            body = client.get(path_to('servers', server_id)).body
            server = _decode.member(body, 'server', dict)
            return str(server.get('id') or server_id)
    if _ids.looks_like_id(last):
        # A deleted server has no name. Nova generates IDs in lower case.
        return last.lower()
    ids = list(_servers_named(client, name_id_or_url, {}))
    if not ids:
        with contextlib.suppress(_errors.Forbidden, _errors.BadRequest):
            # An administrator can also see the servers of other projects.
            all_projects = {'all_tenants': 1}
            ids = list(_servers_named(client, name_id_or_url, all_projects))
    if not ids and candidates:
        return last
    try:
        return only_one('server', name_id_or_url, ids, _errors.ServerNotFound)
    except _errors.ServerNotFound as e:
        raise _errors.ServerNotFound(
            f'{e.message}; for a deleted server, use its ID'
        ) from None


def _servers_named(
    client: Client, name: str, query: dict[str, Any]
) -> Iterator[str]:
    servers = Pager(
        lambda query: client.get('/servers', query).body,
        lambda body: _decode.read_page(body, 'servers', _servers),
        # Nova interprets the name as a regular expression.
        Query({'name': f'^{re.escape(name)}$', **query}),
        'servers',
    )
    for server in servers:
        if server.name == name:
            yield server.id


def _servers(entries: Sequence[Any]) -> list[_Server]:
    return [
        _Server(str(entry.get('id') or ''), entry.get('name'))
        for entry in entries
        if isinstance(entry, dict)
    ]


def find_flavor(client: Client, name_or_id: str) -> Flavor:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_flavor`."""
    path = path_to('flavors', name_or_id)
    if name_or_id not in _ids.RESERVED:
        with contextlib.suppress(_errors.NotFound, _errors.BadRequest):
            body = client.get(path).body
            return _flavor(_decode.member(body, 'flavor', dict))
    flavors = Pager(
        lambda query: client.get('/flavors/detail', query).body,
        lambda body: _decode.read_page(body, 'flavors', _flavors),
        # is_public=none: include private flavors for an administrator.
        Query({'is_public': 'none'}),
        'flavors',
    )
    named = {
        flavor.id: flavor for flavor in flavors if flavor.name == name_or_id
    }
    return named[only_one('flavor', name_or_id, named, _errors.FlavorNotFound)]


def _flavors(entries: Sequence[Any]) -> list[Flavor]:
    return [*map(_flavor, entries)]


def _flavor(entry: Any) -> Flavor:
    flavor: dict[str, Any] = {}
    for field in dataclasses.fields(Flavor):
        kind = int if field.type is int else str
        try:
            flavor[field.name] = kind(entry[field.name])
        except (KeyError, TypeError, ValueError, OverflowError) as e:
            raise _errors.InvalidResponse(
                f'The server sent a flavor without a valid {field.name!r}'
            ) from e
    return Flavor(**flavor)
