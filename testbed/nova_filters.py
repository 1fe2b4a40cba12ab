# SPDX-License-Identifier: Apache-2.0

"""A model of Nova's own filters.

It has the faults of a real Nova 34 with Glance 33. A client that relies on
these filters lists other images than intended.
"""

from collections.abc import Mapping
import datetime
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


def shown(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as Nova displays it."""
    return {key: value for key, value in image.items() if key != STATUS}


def keeps(image: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Return whether Nova lists an image for a query."""
    return all(_keeps(image, name, value) for name, value in query.items())


def _keeps(image: Mapping[str, Any], name: str, value: str) -> bool:
    properties = image['metadata']
    match name:
        case 'name':
            return _matches(image['name'], value)
        case 'status':
            statuses = GLANCE_STATUSES.get(image['status'], ())
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
    if not value or key in _OF_GLANCE or key.endswith(('_min', '_max')):
        return False
    return bool(properties.get(key) == value)


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
