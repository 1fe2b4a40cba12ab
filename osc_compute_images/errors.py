# SPDX-License-Identifier: Apache-2.0

"""Errors of the API as errors of a command, with advice."""

import argparse
from collections.abc import Iterator
import contextlib
import shlex

from osc_lib import exceptions

from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images.api.changes import properties
from osc_compute_images.text import printable

#: Why Compute may refuse (403) to change one image, which it does not tell.
_REFUSALS = {
    'delete': 'It may be protected, or of another project: see "openstack '
    'image show -c protected -c owner',
    'set': 'It may be of another project: see "openstack image show -c owner',
}
_REFUSALS['unset'] = _REFUSALS['set']


@contextlib.contextmanager
def translated(
    command: base.ImagesCommand | None = None,
    parsed_args: argparse.Namespace | None = None,
) -> Iterator[None]:
    """Raise errors of the API as errors of a command.

    See :func:`describe` for the arguments.

    :raises Failure: for a PlanRefused
    :raises CommandError: for another ImagesError
    """
    try:
        yield
    except api.PlanRefused as e:
        raise base.Failure(describe(e), base.EXIT_REFUSED) from e
    except api.ImagesError as e:
        text = describe(e, command, parsed_args)
        raise exceptions.CommandError(text) from e


def describe(
    e: api.ImagesError,
    command: base.ImagesCommand | None = None,
    parsed_args: argparse.Namespace | None = None,
) -> str:
    """Return the message of an error, with advice for the command line.

    :param command: the one that may have a counterpart, and its arguments
    """
    text = str(e)
    if isinstance(e, api.GapsFound):
        text = text.rstrip('.')
        return f'{text}. To go on with what was read, use --accept-gaps'
    if isinstance(e, api.ImagesNotServed):
        # NOTE: imported here, as it imports openstacksdk.
        from osc_compute_images import counterpart

        if command is None or parsed_args is None:
            return f'{e}. {counterpart.NONE}'
        return f'{e}. {counterpart.advice(command, parsed_args)}'
    if isinstance(e, api.EndpointNotFound):
        return (
            f'{e.message.rstrip(".")}: check the project, the region and the '
            f'interface; "openstack catalog list" shows the available '
            f'endpoints'
        )
    if isinstance(e, api.InvalidProperty) and e.key in properties.FIELDS:
        return f'{e}; try "openstack image set"'
    # NOTE: only a list of images can go on, and not one of several regions.
    if (
        isinstance(e, api.ListingInterrupted)
        and e.marker
        and ' of the images;' in e.message
        and hasattr(parsed_args, 'marker')
    ):
        # After a space, a value with a leading dash would be an option.
        separator = '=' if e.marker.startswith('-') else ' '
        if printable(e.marker) == e.marker:
            text = (
                f'{e}. List all again, or continue from there, as long '
                f'as that image exists, with '
                f'--marker{separator}{shlex.quote(e.marker)}'
            )
    if e.http_status == 500 and 'JSONDecodeError' in e.message:
        keys = ' or '.join(properties.JSON_KEYS)
        return (
            f'{text}. The property {keys} of an image may be invalid JSON: '
            f'find the image through the Image service, and remove the '
            f'property with "openstack image unset --property"'
        )
    return text


def describe_change(e: api.ImagesError, verb: str, image_id: str) -> str:
    """Return the message of an error of a change of one image."""
    text = describe(e)
    # NOTE: what a policy of Compute forbids is no property of the image; a
    # quota says that it is exceeded.
    if (
        type(e) is api.Forbidden
        and verb in _REFUSALS
        and 'exceeded' not in e.message
    ):
        shown = printable(shlex.quote(image_id))
        return (
            f'{text}. {_REFUSALS[verb]} {shown}". Otherwise, a policy forbids '
            f'it to your role'
        )
    return text
