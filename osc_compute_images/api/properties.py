# SPDX-License-Identifier: Apache-2.0

"""What Compute does with the properties that it is given.

The rules are the same from Nova 21 to Nova 34: both were asked, and read.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import json
import re
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.text import property_text

__all__ = [
    'FIELDS',
    'JSON_KEYS',
    'MADE_PRIVATE',
    'check_kept',
    'check_properties',
    'check_stored',
    'differing',
    'is_key',
    'is_same',
    'is_undecodable',
]

#: Properties that Nova decodes from JSON whenever it reads an image. While
#: one image has such a property that is not JSON, Nova answers every list and
#: show that includes the image with a 500.
JSON_KEYS = ('block_device_mapping', 'mappings')

#: The fields of an image of Glance, and what Nova's own client takes for one.
#: As properties Nova drops them in silence, or fails with a 403 or 500.
FIELDS = frozenset(
    (
        *('checksum', 'container_format', 'created_at', 'deleted'),
        *('deleted_at', 'direct_url', 'disk_format', 'file', 'id'),
        *('image_id', 'location', 'locations', 'min_disk', 'min_ram'),
        *('name', 'os_hash_algo', 'os_hash_value', 'os_hidden', 'owner'),
        *('protected', 'remove_props', 'schema', 'self', 'size', 'status'),
        *('stores', 'tags', 'updated_at', 'virtual_size', 'visibility'),
    )
)

#: Visibilities that an image loses by any write of its properties through
#: Compute: it is private afterwards, to the projects that could use it, too.
#: Nova knows no more of the visibility than whether an image is public.
MADE_PRIVATE = frozenset(('community', 'shared'))

_KEY = re.compile(r'[a-zA-Z0-9_:. -]{1,255}')
_LONGEST_VALUE = 255
_SURROGATE = re.compile('[\ud800-\udfff]')


def is_key(text: str) -> bool:
    """Tell whether Compute accepts a text as the key of a property."""
    return _KEY.fullmatch(text) is not None


def check_properties(metadata: Mapping[str, str]) -> None:
    """Check properties that are to be set, without asking the server.

    :raises InvalidProperty: for one that Compute is known not to store, or
        that would break its lists
    """
    for key, value in metadata.items():
        reason = _reason_against(key, value)
        if reason is not None:
            raise _errors.InvalidProperty(
                f'Property {key!r:.80} cannot be set: {reason}', key=key
            )


def _reason_against(key: str, value: object) -> str | None:
    if not is_key(key):
        return (
            'a key has 1 to 255 characters, which are letters of ASCII, '
            'digits, spaces, or one of "-_:."'
        )
    if key in FIELDS:
        return 'it is a field of the image itself'
    if key.startswith('os_glance_'):
        return 'such keys are reserved for the Image service'
    if not isinstance(value, str):
        return f'its value is not a string, but {type(value).__name__}'
    if key in ('kernel_id', 'ramdisk_id') and value.strip().lower() in (
        *('', 'none'),
    ):
        return f'Compute ignores the value {value!r}; remove it instead'
    if key in JSON_KEYS and not _is_list_of_objects(value):
        return (
            'its value is not a list of objects in JSON; Compute could no '
            'longer list images'
        )
    return _reason_against_text(value)


def _reason_against_text(value: str) -> str | None:
    if len(value) > _LONGEST_VALUE:
        return (
            f'its value has {len(value)} characters; Compute accepts '
            f'{_LONGEST_VALUE} at most'
        )
    if _SURROGATE.search(value):
        return f'its value {value!r} is no text that can be sent'
    for character in value:
        if character > '\uffff':
            return (
                f'the Image service does not store {character!r} '
                f'(U+{ord(character):X}), nor any character above U+FFFF'
            )
    return None


def _is_list_of_objects(text: str) -> bool:
    try:
        # NOTE: NaN is no JSON, though Python reads it.
        decoded = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return False
    return isinstance(decoded, list) and all(
        isinstance(entry, dict) for entry in decoded
    )


def check_kept(metadata: Mapping[str, Any], replaced: frozenset[str]) -> None:
    """Check the properties of an image that a write is to leave alone.

    Nova writes all properties back when any is written. A decoded value that
    is a string is written back without its quotes: it is no JSON any more.

    :param metadata: all properties of the image
    :param replaced: keys that are written or removed
    :raises InvalidProperty: if the image has such a property
    """
    for key in JSON_KEYS:
        if key not in replaced and isinstance(metadata.get(key), str):
            raise _errors.InvalidProperty(
                f'The image has a property {key!r} that is a string in JSON: '
                f'any change of its properties through Compute would spoil '
                f'it, and Compute could no longer list images. Remove or '
                f'replace {key!r} first',
                key=key,
            )


def check_stored(
    wanted: Mapping[str, str],
    stored: Mapping[str, Any],
    *,
    all_of_them: bool = False,
) -> None:
    """Compare what was to be stored with what came back.

    :param all_of_them: nothing else was to be stored
    :raises PropertiesNotStored: for any difference
    """
    missing = [key for key in wanted if key not in stored]
    changed = [
        key
        for key, value in wanted.items()
        if key in stored and not is_same(key, value, stored[key])
    ]
    extra = [key for key in stored if all_of_them and key not in wanted]
    told = [
        f'{what}: {", ".join(keys)}'
        for what, keys in (
            ('did not store', missing),
            ('stored another value for', changed),
            ('did not remove', extra),
        )
        if keys
    ]
    if told:
        raise _errors.PropertiesNotStored(
            f'The server accepted the change, but {"; ".join(told)}',
            keys=(*missing, *changed, *extra),
        )


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any], but: Iterable[str]
) -> list[str]:
    """Return the keys of the properties that others have changed.

    :param before: all properties of an image, as read before a write
    :param after: likewise, as they are since
    :param but: the keys that were written
    """
    # NOTE: Nova decodes some values where it shows an image only.
    keys = {*before, *after} - {*but, *JSON_KEYS}
    return sorted(
        key
        for key in keys
        if key not in before or key not in after or before[key] != after[key]
    )


def is_same(key: str, wanted: str, stored: object) -> bool:
    """Tell whether a property has the value that is wanted for it."""
    if key in JSON_KEYS and not isinstance(stored, str):
        return bool(json.loads(wanted) == stored)
    return property_text(stored) == wanted


def remove_each(remove: Callable[[str], object], keys: Iterable[str]) -> None:
    """Remove properties, and go on after one that the image does not have.

    See :meth:`osc_compute_images.api.ImagesAPI.delete_metadata_items`.
    """
    wanted = list(dict.fromkeys(keys))
    errors: dict[str, _errors.ImagesError] = {}
    for number, key in enumerate(wanted):
        try:
            remove(key)
        except _errors.ImagesError as e:
            if isinstance(
                e, _errors.NotFound | _errors.BadRequest
            ) and not isinstance(e, _errors.ImageNotFound):
                errors[key] = e
                continue
            # It is not about this key: the others would fail likewise.
            if len(errors) == number:
                raise
            errors |= dict.fromkeys(wanted[number:], e)
            break
    if errors:
        raise _errors.PropertiesNotDeleted(
            f'{len(errors)} of {len(wanted)} properties are not removed: '
            f'{", ".join(errors)}',
            errors=errors,
        )


def is_undecodable(e: _errors.ImagesError) -> bool:
    """Tell whether an error is Nova's for a property that is not JSON.

    See :data:`JSON_KEYS`.
    """
    return e.http_status == 500 and 'JSONDecodeError' in e.message
