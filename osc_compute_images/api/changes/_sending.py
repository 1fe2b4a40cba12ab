# SPDX-License-Identifier: Apache-2.0

"""Change an image, as a step of a plan says.

If the response to a change is lost, the image is read again: if it has
changed as intended, the change has succeeded.
"""

from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.records._image import Image

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

#: Errors after which the server may have made the change.
RESPONSE_LOST = (
    _errors.ConnectionFailed,
    _errors.InvalidResponse,
    _errors.ServerError,
)


def change(api: 'ImagesAPI', step: Step, image: Image) -> str:
    """Apply a step.

    :param image: the image as read right before
    :returns: a note for the user, which may be empty
    :raises ImageNotFound: if the image is gone
    :raises ImagesError: if the change failed, as far as is known
    """
    if step.action is Action.DELETE:
        api.delete(step.image.id)
        return ''
    edit = _set if step.action is Action.SET else _unset
    try:
        return edit(api, step, image)
    except RESPONSE_LOST:
        if _is_edited(api, step):
            return ''
        raise


def is_known_gone(api: 'ImagesAPI', image_id: str) -> bool:
    """Return whether an image no longer exists; False if that is unknown."""
    try:
        return api.get(image_id).state == 'DELETED'
    except _errors.ImageNotFound:
        return True
    except _errors.ImagesError:
        return False


def _is_edited(api: 'ImagesAPI', step: Step) -> bool:
    try:
        stored = api.get(step.image.id).metadata
    except _errors.ImagesError:
        return False
    if step.replaces and stored.keys() - step.properties.keys():
        return False
    return all(
        key in stored and _stored.is_same(key, value, stored[key])
        for key, value in step.properties.items()
    ) and not any(key in stored for key in step.keys)


def _set(api: 'ImagesAPI', step: Step, image: Image) -> str:
    if step.replaces:
        api.replace_metadata(step.image.id, step.properties)
        return ''
    _stored.check_written_back(image.metadata, frozenset(step.properties))
    stored = api.update_metadata(step.image.id, step.properties)
    others = _stored.changed_by_others(image.metadata, stored, step.properties)
    if not others:
        return ''
    return f'properties changed by others: {", ".join(others)}'


def _unset(api: 'ImagesAPI', step: Step, image: Image) -> str:
    _stored.check_written_back(image.metadata, frozenset(step.keys))
    present = [key for key in step.keys if key in image.metadata]
    try:
        api.delete_metadata_items(step.image.id, present)
    except _errors.PropertiesNotDeleted as e:
        errors = [e for e in e.errors.values() if not _is_missing_key(e)]
        if errors:
            raise errors[0] from e
    return ''


def _is_missing_key(e: _errors.ImagesError) -> bool:
    return isinstance(e, _errors.NotFound) and not isinstance(
        e, _errors.ImageNotFound
    )
