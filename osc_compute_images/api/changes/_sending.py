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
    try:
        if step.action is Action.UNSET:
            _unset(api, step, image)
        elif step.replaces:
            api.replace_metadata(step.image.id, step.properties)
        else:
            return _set(api, step, image)
    except RESPONSE_LOST:
        if not _is_edited(api, step):
            raise
    return ''


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
        _stored.check_stored(
            step.properties, stored, all_of_them=step.replaces
        )
    except _errors.ImagesError:
        return False
    return stored.keys().isdisjoint(step.keys)


def _set(api: 'ImagesAPI', step: Step, image: Image) -> str:
    before = image.metadata
    _stored.check_written_back(before, step.properties)
    stored = api.update_metadata(step.image.id, step.properties)
    others = _stored.changed_by_others(before, stored, step.properties)
    if not others:
        return ''
    return f'properties changed by others: {", ".join(others)}'


def _unset(api: 'ImagesAPI', step: Step, image: Image) -> None:
    _stored.check_written_back(image.metadata, step.keys)
    present = [key for key in step.keys if key in image.metadata]
    try:
        api.delete_metadata_items(step.image.id, present)
    except _errors.PropertiesNotDeleted as e:
        for error in e.errors.values():
            # NOTE: a property that somebody else has removed is no error.
            is_missing = isinstance(error, _errors.NotFound)
            if not is_missing or isinstance(error, _errors.ImageNotFound):
                raise error from e
