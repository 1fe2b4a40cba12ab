# SPDX-License-Identifier: Apache-2.0

"""Images and their use, without a cloud."""

from osc_compute_images.api import Image
from osc_compute_images.api import ServerList
from osc_compute_images.api import ServerRef
from osc_compute_images.api.changes.usage import Usage


def image(image_id, name=None, of=None, **fields):
    """Return an image.

    :param of: ID of the server that it was taken from
    """
    server = None if of is None else ServerRef(of)
    fields = {'status': 'ACTIVE', 'metadata': {}, **fields}
    return Image(id=image_id, name=name, server=server, **fields)


def usage_of(servers, images=(), missing=(), **options):
    """Return which of these servers and images use which images."""
    listed = ServerList(tuple(servers), missing=missing)
    return Usage(listed, images, **options)
