# SPDX-License-Identifier: Apache-2.0

"""A model of what Nova's own filters of a listing select.

It has the faults that a real Nova 34 with Glance 33 was seen to have: a
client that trusts them lists something else than was meant.
"""

from collections.abc import Mapping
import datetime
from typing import Any

#: Glance's words for the status of an image, by the word that Nova shows.
GLANCE_STATUSES: Mapping[str, tuple[str, ...]] = {
    'ACTIVE': ('active',),
    'SAVING': ('queued', 'saving'),
    'ERROR': ('killed',),
    'DELETED': ('deleted', 'pending_delete'),
    'UNKNOWN': ('deactivated', 'importing', 'uploading'),
}

#: What an image of the model has besides what Nova shows: Glance's status.
STATUS = 'testbed:glance_status'

# What Glance takes for a parameter of its own, where Nova passes on a
# property of this key.
_OF_GLANCE = ('visibility', 'disk_format', 'owner', 'name', 'status', 'sort')


def shown(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as Nova shows it."""
    return {key: value for key, value in image.items() if key != STATUS}


def keeps(image: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Tell whether Nova lists an image when it is asked with a query."""
    return all(_keeps(image, name, value) for name, value in query.items())


def _keeps(image: Mapping[str, Any], name: str, value: str) -> bool:
    properties = image['metadata']
    match name:
        case 'name':
            return _matches(image['name'], value)
        case 'status':
            return _matches(image[STATUS], value.lower())
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
    if not name.startswith('property-'):
        return True
    # As Nova does it: every leading letter that is one of these goes.
    key = name.lstrip('property-')  # noqa: B005
    if not value or key in _OF_GLANCE or key.endswith(('_min', '_max')):
        return False
    return bool(properties.get(key) == value)


def _matches(text: str | None, value: str) -> bool:
    """Compare as Glance does: what stands before a colon is an operator."""
    if text is None:
        return False
    operator, colon, operand = value.partition(':')
    if not colon:
        return text == value
    if operator == 'in':
        return text in operand.split(',')
    return operator == 'eq' and text == operand
