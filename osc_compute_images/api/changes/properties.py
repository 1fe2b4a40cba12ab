# SPDX-License-Identifier: Apache-2.0

"""What Compute does with the properties of images.

The rules are the same from Nova 21 to Nova 34; both were tested.
"""

from collections.abc import Mapping
import json
import re

from osc_compute_images.api import _errors

__all__ = [
    'FIELDS',
    'JSON_KEYS',
    'MADE_PRIVATE',
    'check_properties',
    'is_key',
]

#: Properties that Nova decodes from JSON whenever it reads an image. If an
#: image has such a property that is not JSON, every list or show that includes
#: the image fails with a 500.
JSON_KEYS = ('block_device_mapping', 'mappings')

#: Fields of an image in Glance, and the names that Nova's own client treats as
#: fields. Nova silently drops them as properties, or fails with a 403 or 500.
FIELDS = frozenset({
    'checksum', 'container_format', 'created_at', 'deleted', 'deleted_at',
    'direct_url', 'disk_format', 'file', 'id', 'image_id', 'location',
    'locations', 'min_disk', 'min_ram', 'name', 'os_hash_algo',
    'os_hash_value', 'os_hidden', 'owner', 'protected', 'remove_props',
    'schema', 'self', 'size', 'status', 'stores', 'tags', 'updated_at',
    'virtual_size', 'visibility',
})  # fmt: skip

#: Visibilities that an image loses if its properties are changed through
#: Compute: it becomes private, and other projects can no longer use it. Nova
#: only knows whether an image is public.
MADE_PRIVATE = frozenset(('community', 'shared'))

_KEY = re.compile(r'[a-zA-Z0-9_:. -]{1,255}')
_MAX_VALUE = 255
_SURROGATE = re.compile('[\ud800-\udfff]')


def is_key(text: str) -> bool:
    """Return whether Compute accepts a text as the key of a property."""
    return _KEY.fullmatch(text) is not None


def check_properties(metadata: Mapping[str, str]) -> None:
    """Check properties to be set, without any request.

    :raises InvalidProperty: for one that Compute is known not to store, or
        that would break its lists
    """
    for key, value in metadata.items():
        reason = _find_problem(key, value)
        if reason is not None:
            raise _errors.InvalidProperty(
                f'Property {key!r:.80} cannot be set: {reason}', key=key
            )


def _find_problem(key: str, value: object) -> str | None:
    if not is_key(key):
        return (
            'a key has 1 to 255 characters: ASCII letters, digits, spaces, '
            'and "-_:."'
        )
    if key in FIELDS:
        return 'it is a field of the image itself'
    if key.startswith('os_glance_'):
        return 'keys that begin with os_glance_ are reserved for Glance'
    if not isinstance(value, str):
        return f'its value must be a string, not {type(value).__name__}'
    is_none = value.strip().lower() in ('', 'none')
    if is_none and key in ('kernel_id', 'ramdisk_id'):
        return f'Compute ignores the value {value!r}; remove it instead'
    if key in JSON_KEYS and not _is_list_of_objects(value):
        return (
            'its value must be a JSON list of objects, or Compute could no '
            'longer list images'
        )
    if len(value) > _MAX_VALUE:
        return (
            f'its value has {len(value)} characters; Compute accepts at most '
            f'{_MAX_VALUE}'
        )
    if _SURROGATE.search(value):
        return f'its value {value!r} cannot be encoded as UTF-8'
    highest = max(value, default='')
    if highest > '\uffff':
        return (
            f'the Image service does not store {highest!r} '
            f'(U+{ord(highest):X}), nor any character above U+FFFF'
        )
    return None


def _is_list_of_objects(text: str) -> bool:
    try:
        # NOTE: Python accepts NaN, which is not JSON.
        decoded = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return False
    return isinstance(decoded, list) and all(
        isinstance(entry, dict) for entry in decoded
    )
