# SPDX-License-Identifier: Apache-2.0

"""A model of Nova's own filters.

It has the faults of a real Nova 34 with Glance 33. A client that relies on
these filters lists other images than intended.
"""

from collections.abc import Mapping
import datetime
import re
from typing import Any

#: Glance's statuses, by the status that Nova displays.
GLANCE_STATUSES: Mapping[str, tuple[str, ...]] = {
    'ACTIVE': ('active',),
    'SAVING': ('queued', 'saving'),
    'ERROR': ('killed',),
    'DELETED': ('deleted', 'pending_delete'),
    'UNKNOWN': ('deactivated', 'importing', 'uploading'),
}

VISIBILITIES = ('public', 'private', 'shared', 'community')

#: The key of Glance's status in records of this model.
STATUS = 'testbed:glance_status'

# Properties that Glance interprets as its own parameters.
_OF_GLANCE = ('visibility', 'disk_format', 'owner', 'name', 'status', 'sort')


def problem(query: Mapping[str, str]) -> str | None:
    """Return why Glance rejects a query, or None."""
    wanted = query.get('property-visibility')
    if wanted not in (None, *VISIBILITIES):
        return f'Invalid visibility value: {wanted}'
    created = query.get('property-created_at')
    if created is not None and not re.fullmatch(r'lt:[-\d]+T[:\d]+Z', created):
        return 'Bad "created_at" query filter format'
    if not query.get('property-size_min', '0').isdecimal():
        return 'Invalid filter value'
    return None


# Of these, Glance compares the values.
_COMPARED = ('property-created_at', 'property-size_min')


def shown(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as Nova displays it."""
    return {key: value for key, value in image.items() if key != STATUS}


def keeps(image: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Return whether Nova lists an image for a query."""
    return all(
        (_is_within if name in _COMPARED else _keeps)(image, name, value)
        for name, value in query.items()
    )


def _keeps(image: Mapping[str, Any], name: str, value: str) -> bool:
    properties = image['metadata']
    match name:
        case 'name':
            return _matches(image['name'], value)
        case 'status':
            statuses = GLANCE_STATUSES.get(image['status'].upper(), ())
            found = image.get(STATUS)
            return any(
                _matches(status, value.lower())
                for status in ([found] if found else statuses)
            )
        case 'server':
            owner = value.rpartition('/')[2]
            return bool(properties.get('instance_uuid') == owner)
        case 'type':
            return bool(properties.get('image_type') == value)
        case 'minDisk' | 'minRam':
            return bool(str(image[name]) == value)
        case 'changes-since':
            since = datetime.datetime.fromisoformat(value)
            return datetime.datetime.fromisoformat(image['updated']) >= since
        case 'property-id':
            return _matches(image['id'], value)
    if not name.startswith('property-'):
        return True
    # Nova uses lstrip() like this.
    key = name.lstrip('property-')  # noqa: B005
    if key in _OF_GLANCE or key.endswith(('_min', '_max')):
        return False
    return bool(properties.get(key) == value)


def _is_within(image: Mapping[str, Any], name: str, value: str) -> bool:
    if name == 'property-size_min':
        # Glance has no size for an image without data.
        return int(image.get('OS-EXT-IMG-SIZE:size') or -1) >= int(value)
    before = datetime.datetime.fromisoformat(value.removeprefix('lt:'))
    return datetime.datetime.fromisoformat(image['created']) < before


def _matches(text: str | None, value: str) -> bool:
    """Compare as Glance does: the text before a colon is an operator."""
    if text is None:
        return False
    operator, colon, operand = value.partition(':')
    if not colon:
        return text == value
    if operator == 'in':
        return text in operand.split(',')
    return operator == 'eq' and text == operand
