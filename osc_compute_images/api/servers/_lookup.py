# SPDX-License-Identifier: Apache-2.0

"""Find servers and flavors by name, ID or URL."""

import contextlib
import dataclasses
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.listing._decode import member
from osc_compute_images.api.listing._decode import read_page
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.servers._reader import ServerReader


def find_server_id(reader: ServerReader, name_id_or_url: str) -> str:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_server_id`."""
    last = name_id_or_url.rstrip('/').rpartition('/')[2]
    if _ids.is_canonical(last):
        return last
    candidates = [*_ids.candidates(last)]
    for server_id in candidates:
        with contextlib.suppress(_errors.HTTPError, _errors.InvalidResponse):
            return reader.show(server_id).id
    if _ids.looks_like_id(last):
        # A deleted server has no name. Nova generates IDs in lower case.
        return last.lower()
    found = reader.named(name_id_or_url)
    if not found:
        with contextlib.suppress(_errors.Forbidden, _errors.BadRequest):
            # An administrator can also see the servers of other projects.
            found = reader.named(name_id_or_url, all_tenants=1)
    if not found and candidates:
        return last
    advice = '; for a deleted server, use its ID'
    return _ids.only_one(
        'server', name_id_or_url, found, _errors.ServerNotFound, advice
    ).id


def find_flavor(client: Client, name_or_id: str) -> Flavor:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_flavor`."""
    if name_or_id not in _ids.RESERVED:
        with contextlib.suppress(_errors.NotFound, _errors.BadRequest):
            body = client.get(path_to('flavors', name_or_id)).body
            return _flavor(member(body, 'flavor', dict))
    flavors = Pager(
        lambda query: client.get('/flavors/detail', query).body,
        lambda body: read_page(
            body, 'flavors', lambda entries: [*map(_flavor, entries)]
        ),
        # Include private flavors for an administrator.
        Query({'is_public': 'none'}),
        'flavors',
    )
    found = {
        flavor.id: flavor for flavor in flavors if flavor.name == name_or_id
    }
    return _ids.only_one('flavor', name_or_id, found, _errors.FlavorNotFound)


def _flavor(entry: Any) -> Flavor:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Flavor):
        kind = int if field.type is int else str
        try:
            values[field.name] = kind(entry[field.name])
        except (KeyError, TypeError, ValueError, OverflowError) as e:
            raise _errors.InvalidResponse(
                f'The server sent a flavor without a valid {field.name!r}'
            ) from e
    return Flavor(**values)
