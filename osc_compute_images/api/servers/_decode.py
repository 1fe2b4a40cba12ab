# SPDX-License-Identifier: Apache-2.0

"""Decode the servers and flavors of a response."""

from collections.abc import Sequence
import dataclasses
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.records._server import Server


def servers(entries: Sequence[Any]) -> list[Server]:
    """Decode servers; those without an ID are left out."""
    return [*filter(None, map(server, entries))]


def server(entry: Any) -> Server | None:
    """Decode a server; return None if it has no ID."""
    if not isinstance(entry, dict) or not _is_id(entry.get('id')):
        return None
    image = entry.get('image')
    image_id = image.get('id') if isinstance(image, dict) else None
    status = (_text(entry.get('status')) or '').upper()
    metadata = entry.get('metadata')
    items = metadata.items() if isinstance(metadata, dict) else ()
    return Server(
        id=str(entry['id']),
        name=_text(entry.get('name')) or '',
        status=status,
        image_id=str(image_id) if _is_id(image_id) else None,
        project_id=_text(entry.get('tenant_id')),
        task_state=_text(entry.get('OS-EXT-STS:task_state')),
        # NOTE: '' means that it was booted from a volume.
        may_use_any_image=status == 'UNKNOWN'
        or not (image == '' or _is_id(image_id)),
        metadata={k: text for k, text in items if isinstance(text, str)},
    )


def _is_id(value: object) -> bool:
    return bool(value) and type(value) in (str, int)


def _text(value: object) -> str | None:
    return None if value is None or value == '' else str(value)


def flavor(entry: Any) -> Flavor:
    """Decode a flavor.

    :raises InvalidResponse: for a flavor without a valid field
    """
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
