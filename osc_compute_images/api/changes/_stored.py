# SPDX-License-Identifier: Apache-2.0

"""The properties of an image, as the server stores and changes them."""

from collections.abc import Mapping
import contextlib
import itertools
import json
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.changes.properties import JSON_KEYS
from osc_compute_images.api.records._image import Image

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI


def corruption(step: Step, image: Image) -> _errors.ImagesError | None:
    """Return an error if a change may corrupt a property that it keeps.

    When Nova changes any property, it writes all of them back. It decodes
    :data:`JSON_KEYS`, and writes a decoded string back without its quotes,
    which is not JSON.

    :param image: the image as it is now
    """
    if step.replaces:
        return None
    if not image.is_complete:
        return _errors.InvalidResponse(
            'Compute does not tell the properties of the image, and a change '
            'might corrupt one of them'
        )
    # NOTE: keys are removed one by one.
    changed = {*step.properties, *step.keys[:1]}
    for key in JSON_KEYS:
        if key not in changed and isinstance(image.metadata.get(key), str):
            return _errors.InvalidProperty(
                f'The property {key!r} of the image is a JSON string: any '
                f'change of properties through Compute would corrupt it, and '
                f'Compute could no longer list images. Remove or replace '
                f'{key!r} first',
                key=key,
            )
    return None


def check_stored(
    wanted: Mapping[str, str],
    stored: Mapping[str, Any],
    *,
    all_of_them: bool = False,
) -> None:
    """Check that properties were stored.

    :param all_of_them: whether all other properties must be gone
    :raises PropertiesNotStored: for any difference
    """
    wrong = not_stored(wanted, stored)
    others = stored.keys() - wanted.keys() if all_of_them else ()
    problems = {
        'did not store': [key for key in wrong if key not in stored],
        'stored another value for': [key for key in wrong if key in stored],
        'did not remove': sorted(others),
    }
    text = '; '.join(
        f'{problem}: {", ".join(keys)}'
        for problem, keys in problems.items()
        if keys
    )
    if text:
        raise _errors.PropertiesNotStored(
            f'The server accepted the change, but {text}',
            keys=tuple(itertools.chain(*problems.values())),
        )


def not_stored(
    wanted: Mapping[str, str], stored: Mapping[str, Any]
) -> dict[str, str]:
    """Return the properties that are missing, or have another value."""
    return {
        key: value
        for key, value in wanted.items()
        if key not in stored or not _is_same(key, value, stored[key])
    }


def _is_same(key: str, wanted: str, stored: object) -> bool:
    if key in JSON_KEYS and not isinstance(stored, str):
        return bool(json.loads(wanted) == stored)
    return str(stored) == wanted


def edit(api: 'ImagesAPI', step: Step, image: Image) -> str:
    """Set or remove properties, as a step of a plan says.

    :param image: the image as read right before
    :returns: a note for the user, which may be empty
    """
    error = corruption(step, image)
    if error is not None:
        raise error
    try:
        if step.action is Action.UNSET:
            _unset(api, step, image)
        elif step.replaces:
            api.replace_metadata(image.id, step.properties)
        else:
            stored = api.update_metadata(image.id, step.properties)
            return _changed_by_others(step, image.metadata, stored)
    except _errors.RESPONSE_LOST:
        with contextlib.suppress(_errors.ImagesError):
            if is_edited(step, api._get(image.id, fresh=True)):
                return ''
        raise
    return ''


def _changed_by_others(
    step: Step, before: Mapping[str, Any], stored: Mapping[str, Any]
) -> str:
    # NOTE: Nova decodes JSON_KEYS only where it shows an image.
    others = {*before, *stored} - {*step.properties, *JSON_KEYS}
    same = {k for k in before if k in stored and before[k] == stored[k]}
    changed = sorted(others - same)
    if not changed:
        return ''
    return f'properties changed by others: {", ".join(changed)}'


def is_edited(step: Step, image: Image) -> bool:
    """Return whether an image is known to be as a step leaves it."""
    missing = not_stored(step.properties, image.metadata)
    keys = image.metadata.keys()
    left = keys - step.properties if step.replaces else keys & {*step.keys}
    return image.is_complete and not missing and not left


def _unset(api: 'ImagesAPI', step: Step, image: Image) -> None:
    present = [key for key in step.keys if key in image.metadata]
    try:
        api.delete_metadata_items(step.image.id, present)
    except _errors.PropertiesNotDeleted as e:
        for error in e.errors.values():
            # NOTE: a property that somebody else has removed is no error.
            is_missing = isinstance(error, _errors.NotFound)
            if not is_missing or isinstance(error, _errors.ImageNotFound):
                raise error from e
