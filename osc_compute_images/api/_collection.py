# SPDX-License-Identifier: Apache-2.0

"""Reading a paged collection of Compute other than images, to its end."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api._options import MAX_PAGE_SIZE

#: Entries that are read at most: a server that always has more is broken.
MAX_ENTRIES = 1_000_000


def entries(
    get: Callable[[str, Mapping[str, Any]], bytes],
    kind: str,
    query: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """Yield each entry of ``/{kind}/detail`` once, as a JSON object.

    :param get: sends a request, given its path and its query
    :param kind: ``servers`` or ``flavors``
    :raises InvalidResponse: if the pages go round, or never end
    :raises ImagesError: if a page does not come: part of a collection is of
        no use to a join
    """
    seen: set[str] = set()
    page_query = {**query, 'limit': MAX_PAGE_SIZE}
    earlier: list[str] = []
    while True:
        body = _fetch(get, f'/{kind}/detail', page_query, earlier)
        page = _decode.member(body, kind, list)
        new: dict[str, dict[str, Any]] = {}
        for entry in page:
            # An entry without an ID can be neither named nor joined.
            if isinstance(entry, dict) and entry.get('id') not in (None, ''):
                new.setdefault(str(entry['id']), entry)
        for entry_id in seen & new.keys():
            del new[entry_id]
        yield from new.values()
        # A page may be shorter than was asked for: the server has a limit.
        is_last = len(page) < MAX_PAGE_SIZE and not _decode.has_next(
            body, kind
        )
        if is_last or not page:
            return
        if not new:
            raise _errors.InvalidResponse(
                f'The server repeats a page of {kind} that it has sent'
            )
        seen.update(new)
        if len(seen) > MAX_ENTRIES:
            raise _errors.InvalidResponse(
                f'The server lists more than {MAX_ENTRIES:,} {kind}'
            )
        earlier = [*new]
        page_query['marker'] = earlier[-1]


def _fetch(
    get: Callable[[str, Mapping[str, Any]], bytes],
    path: str,
    query: Mapping[str, Any],
    earlier: list[str],
) -> bytes:
    """Fetch a page, after an earlier entry if its marker is gone by now.

    :param earlier: IDs of the last page, the marker last
    """
    try:
        return get(path, query)
    except (_errors.BadRequest, _errors.NotFound):
        if len(earlier) < 2:
            raise
        refused = earlier[: len(earlier) // 2]
        return _fetch(get, path, {**query, 'marker': refused[-1]}, refused)
