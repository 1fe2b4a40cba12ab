# SPDX-License-Identifier: Apache-2.0

"""Errors of the API as errors of a command, with advice."""

from collections.abc import Iterator
import contextlib

from osc_lib import exceptions

from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images.api.changes import properties
from osc_compute_images.text import option_for_shell

#: Advice if an endpoint is not found.
CHECK_CATALOG = (
    'check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise errors of the API as errors of a command.

    :raises Failure: for a PlanRefused
    :raises CommandError: for another ImagesError
    """
    try:
        yield
    except api.PlanRefused as e:
        raise base.Failure(describe(e), base.EXIT_REFUSED) from e
    except api.ImagesError as e:
        raise exceptions.CommandError(describe(e)) from e


def describe(e: api.ImagesError) -> str:
    """Return the message of an error, with advice for the command line."""
    text = str(e)
    if isinstance(e, api.GapsFound):
        found = text.rstrip('.')
        return f'{found}. To go on with what was read, use --accept-gaps'
    if isinstance(e, api.ImagesNotServed):
        return f'{e}. Use the "openstack image list" command instead'
    if isinstance(e, api.EndpointNotFound):
        reason = e.message.rstrip('.')
        return f'{reason}: {CHECK_CATALOG}'
    if isinstance(e, api.InvalidProperty) and e.key in properties.FIELDS:
        return f'{e}; try "openstack image set"'
    if isinstance(e, api.ListingInterrupted) and e.marker:
        option = option_for_shell('--marker', e.marker)
        if option is not None:
            text = (
                f'{e}. List all again, or continue from there, as long '
                f'as that image exists, with {option}'
            )
    if e.http_status == 500 and 'JSONDecodeError' in e.message:
        keys = ' or '.join(properties.JSON_KEYS)
        return (
            f'{text}. The property {keys} of an image may be invalid JSON: '
            f'find the image through the Image service, and remove the '
            f'property with "openstack image unset --property"'
        )
    return text
