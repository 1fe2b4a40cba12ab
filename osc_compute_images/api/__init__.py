# SPDX-License-Identifier: Apache-2.0

"""The images API of the OpenStack Compute service, for Python programs.

List images lazily, page by page::

    from keystoneauth1.adapter import Adapter
    from osc_compute_images.api import filters, ImagesAPI

    api = ImagesAPI(Adapter(session, service_type='compute'))
    for image in api.list_detail(where=filters.image_type('snapshot')):
        print(image.id, image.name, image.server_id)

``conn.compute`` of an openstacksdk connection is such an adapter, too::

    api = ImagesAPI(openstack.connect(cloud='mycloud').compute)
    image = api.find('ubuntu-24.04')

All errors derive from ``ImagesError``, and have ``message``, ``http_status``
and ``request_id``. Those that the server reports derive from ``HTTPError``.
"""

from osc_compute_images.api._errors import AmbiguousName
from osc_compute_images.api._errors import BadRequest
from osc_compute_images.api._errors import Conflict
from osc_compute_images.api._errors import ConnectionFailed
from osc_compute_images.api._errors import EndpointNotFound
from osc_compute_images.api._errors import FlavorNotFound
from osc_compute_images.api._errors import Forbidden
from osc_compute_images.api._errors import GapsFound
from osc_compute_images.api._errors import HTTPError
from osc_compute_images.api._errors import ImageFailed
from osc_compute_images.api._errors import ImageNotFound
from osc_compute_images.api._errors import ImagesError
from osc_compute_images.api._errors import ImagesForbidden
from osc_compute_images.api._errors import ImagesNotServed
from osc_compute_images.api._errors import ImageVanished
from osc_compute_images.api._errors import InvalidProperty
from osc_compute_images.api._errors import InvalidResponse
from osc_compute_images.api._errors import ListingInterrupted
from osc_compute_images.api._errors import NotAcceptable
from osc_compute_images.api._errors import NotFound
from osc_compute_images.api._errors import PlanRefused
from osc_compute_images.api._errors import PropertiesNotDeleted
from osc_compute_images.api._errors import PropertiesNotStored
from osc_compute_images.api._errors import RequestTimedOut
from osc_compute_images.api._errors import ServerError
from osc_compute_images.api._errors import ServerNotFound
from osc_compute_images.api._errors import TooManyRequests
from osc_compute_images.api._errors import Unauthorized
from osc_compute_images.api._errors import WaitError
from osc_compute_images.api._errors import WaitTimedOut
from osc_compute_images.api._regions import in_regions
from osc_compute_images.api._regions import RegionFailure
from osc_compute_images.api._regions import RegionResult
from osc_compute_images.api._regions import RegionSuccess
from osc_compute_images.api.images._api import ImagesAPI
from osc_compute_images.api.listing import _options
from osc_compute_images.api.listing._options import ListOpts
from osc_compute_images.api.listing._options import ListOptsBuilder
from osc_compute_images.api.listing._page import ImagePage
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef
from osc_compute_images.api.records._image import ServerRef
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList

#: Maximum page size: Nova's default ``[api] max_limit``. Nova accepts a larger
#: limit, but then omits the link to the next page, and a listing would be
#: silently truncated.
MAX_PAGE_SIZE: int = _options.MAX_PAGE_SIZE

__all__ = [
    'MAX_PAGE_SIZE',
    'AmbiguousName',
    'BadRequest',
    'Conflict',
    'ConnectionFailed',
    'EndpointNotFound',
    'Flavor',
    'FlavorNotFound',
    'Forbidden',
    'GapsFound',
    'HTTPError',
    'Image',
    'ImageFailed',
    'ImageNotFound',
    'ImagePage',
    'ImageRef',
    'ImageVanished',
    'ImagesAPI',
    'ImagesError',
    'ImagesForbidden',
    'ImagesNotServed',
    'InvalidProperty',
    'InvalidResponse',
    'ListOpts',
    'ListOptsBuilder',
    'ListingInterrupted',
    'NotAcceptable',
    'NotFound',
    'Pager',
    'PlanRefused',
    'PropertiesNotDeleted',
    'PropertiesNotStored',
    'RegionFailure',
    'RegionResult',
    'RegionSuccess',
    'RequestTimedOut',
    'Server',
    'ServerError',
    'ServerList',
    'ServerNotFound',
    'ServerRef',
    'TooManyRequests',
    'Unauthorized',
    'WaitError',
    'WaitTimedOut',
    'in_regions',
]
