# SPDX-License-Identifier: Apache-2.0

"""Changing one image, as a step of a plan says.

A request may have been carried out though its answer was lost. The image is
looked at again then, and what was to be done and is done has not failed.
"""

from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api import properties
from osc_compute_images.api._image import Image
from osc_compute_images.api._steps import Action
from osc_compute_images.api._steps import Step

if TYPE_CHECKING:
    from osc_compute_images.api._client import ImagesAPI

#: After these the server may have done what it was asked for.
ANSWER_LOST = (
    _errors.ConnectionFailed,
    _errors.InvalidResponse,
    _errors.ServerError,
)


def change(api: 'ImagesAPI', step: Step, image: Image) -> str:
    """Do what a step says.

    :param image: as it is right before
    :returns: what else is to be known, or an empty text
    :raises ImagesError: if it is not done, as far as can be told
    """
    if step.action is Action.DELETE:
        # Another client may have been quicker.
        api.delete(step.image.id, ignore_missing=True)
        return ''
    edit = _set if step.action is Action.SET else _unset
    try:
        return edit(api, step, image)
    except ANSWER_LOST:
        if _is_edited(api, step):
            return ''
        raise


def is_gone(api: 'ImagesAPI', image_id: str) -> bool:
    """Tell whether an image is no longer there."""
    try:
        return api.get(image_id).status == 'DELETED'
    except _errors.ImageNotFound:
        return True


def is_known_gone(api: 'ImagesAPI', image_id: str) -> bool:
    """Likewise; if that cannot be found out, it is not gone."""
    try:
        return is_gone(api, image_id)
    except _errors.ImagesError:
        return False


def _is_edited(api: 'ImagesAPI', step: Step) -> bool:
    try:
        stored = api.get(step.image.id).metadata
    except _errors.ImagesError:
        return False
    return all(
        key in stored and properties.is_same(key, value, stored[key])
        for key, value in step.properties.items()
    ) and not any(key in stored for key in step.keys)


def _set(api: 'ImagesAPI', step: Step, image: Image) -> str:
    properties.check_kept(image.metadata, frozenset(step.properties))
    stored = api.update_metadata(step.image.id, step.properties)
    differing = properties.differing(image.metadata, stored, step.properties)
    if not differing:
        return ''
    return f'others changed at the same time: {", ".join(differing)}'


def _unset(api: 'ImagesAPI', step: Step, image: Image) -> str:
    properties.check_kept(image.metadata, frozenset(step.keys))
    present = [key for key in step.keys if key in image.metadata]
    try:
        api.delete_metadata_items(step.image.id, present)
    except _errors.PropertiesNotDeleted as e:
        left = [error for error in e.errors.values() if not _is_absent(error)]
        if left:
            raise left[0] from e
    return ''


def _is_absent(e: _errors.ImagesError) -> bool:
    return isinstance(e, _errors.NotFound) and not isinstance(
        e, _errors.ImageNotFound
    )
