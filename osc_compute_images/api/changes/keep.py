# SPDX-License-Identifier: Apache-2.0

"""Keep images that have a property, or that a text names.

For the plan of a deletion::

    from osc_compute_images.api.changes import keep, plan

    marked = keep.with_property('keep', 'yes')
    named = keep.named_in(pathlib.Path('main.tf').read_text(), 'main.tf')
    todo = plan.delete(images, protection, keep=keep.either(marked, named))

A kept image still counts in its group: a filter would change which image is
the newest.
"""

from collections.abc import Callable
from typing import TypeAlias

from osc_compute_images.api import _errors
from osc_compute_images.api.filters._attributes import has_property
from osc_compute_images.api.filters._attributes import property_is
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._image import Image

__all__ = ['Keep', 'either', 'named_in', 'with_property']

#: Returns why an image must be kept, or None.
Keep: TypeAlias = Callable[[Image], str | None]


def with_property(key: str, value: str | None = None) -> Keep:
    """Keep images with a property, and those whose properties are unknown.

    :param value: its exact value; any value by default
    :raises TypeError: if it is neither a string nor None
    """
    marked = has_property(key) if value is None else property_is(key, value)

    def keep(image: Image) -> str | None:
        if marked.matches(image):
            return f'it has the property {key}={image.metadata[key]}'
        return unless_complete(image)

    return keep


def unless_complete(image: Image) -> str | None:
    """Keep images whose properties are unknown: they may match no filter."""
    return None if image.is_complete else 'its properties are unknown'


def named_in(text: str, source: str) -> Keep:
    """Keep the images whose IDs are found in a text of any format.

    :param source: name of the text, for the reason
    :raises PlanRefused: if the text holds no UUID: an empty file is rather a
        broken pipe than a list without images
    """
    # NOTE: also after other digits, as in "%2F" of a URL: rather too many.
    ids = frozenset(match[0].lower() for match in _ids.UUID.finditer(text))
    if not ids:
        raise _errors.PlanRefused(
            f'Nothing was changed: there is no UUID in {source}'
        )
    reason = f'named in {source}'
    return lambda image: reason if image.id.lower() in ids else None


def either(*keeps: Keep | None) -> Keep:
    """Keep what any of these keeps, with the first reason."""

    def keep(image: Image) -> str | None:
        reasons = (each(image) for each in keeps if each is not None)
        return next((r for r in reasons if r is not None), None)

    return keep
