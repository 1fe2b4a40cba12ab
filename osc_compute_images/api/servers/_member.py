# SPDX-License-Identifier: Apache-2.0

"""A region whose servers are read, and the regions that share its images."""

from collections.abc import Iterator
import contextlib
import copy
import re
from typing import Any
from typing import TYPE_CHECKING
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions

from osc_compute_images.api.http._catalog import endpoints
from osc_compute_images.api.http._catalog import MALFORMED
from osc_compute_images.api.records._server import ServerList

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

#: URLs by region, and then by a form in which they can be compared.
_URLs = dict[str, dict[str, str]]

_INVALID = (
    'the catalog has an invalid endpoint of Compute, and other regions may '
    'use the images'
)


class Member:
    """A region whose servers are read, and the catalog of its login.

    :ivar login: identifies the login
    :ivar missing: what could not be read of the catalog, a sentence each
    :ivar region: its name, empty if it has none or is unknown
    :ivar image_ids: of the images that it lists, if they were noted
    :ivar list: the servers, as last listed
    """

    def __init__(self, api: 'ImagesAPI') -> None:
        self.api = api
        self.image_ids: frozenset[str] = frozenset()
        self.list = ServerList(())
        adapter = api.adapter
        auth: Any = adapter.auth or getattr(adapter.session, 'auth', None)
        self.login = id(auth)
        self.missing: tuple[str, ...] = ()
        self._computes: _URLs = {}
        #: Those of the interface, and of any.
        self._images: tuple[_URLs, ...] = ({}, {})
        with contextlib.suppress(*MALFORMED, ksa_exceptions.ClientException):
            # Not every plugin has a catalog, nor does a failed login.
            catalog = auth.get_access(adapter.session).service_catalog
            self.missing = (_INVALID,)
            self._computes = _urls(catalog, adapter, adapter.service_type)
            self.missing = ()
            # NOTE: if these are unknown, any region may share the images.
            any_interface = copy.copy(adapter)
            any_interface.interface = None
            self._images = (
                _urls(catalog, adapter, 'image'),
                _urls(catalog, any_interface, 'image'),
            )
        # NOTE: an override may be the endpoint of any region.
        is_known = not adapter.endpoint_override or len(self._computes) == 1
        first = next(iter(self._computes), '') if is_known else ''
        self.region = adapter.region_name or first

    def shares_images(self, other: 'Member') -> bool:
        """Return whether it has the same Image service, or may have."""
        if self.lists_same_images(other):
            return True
        is_same = self._has_same_images(other, other.region)
        # If it is unknown, two clouds are not taken for one.
        return self.login == other.login if is_same is None else is_same

    def lists_same_images(self, other: 'Member') -> bool:
        """Return whether it is the same region, or lists an image of it."""
        return self is other or not self.image_ids.isdisjoint(other.image_ids)

    def others(self) -> Iterator[ksa_adapter.Adapter]:
        """Yield the Compute service of each other region that shares images.

        Regions that may share them are included.
        """
        own = self._computes.get(self.region, {}).keys()
        for region, urls in self._computes.items():
            has_others = self._has_same_images(self, region) is False
            if has_others or urls.keys() & own:
                continue
            # NOTE: a copy, which keeps the class and all settings.
            other = copy.copy(self.api.adapter)
            other.region_name = region or None
            other.endpoint_override = None
            if not region:
                # NOTE: keystoneauth would take an endpoint of any region.
                url = next(iter(urls.values()))
                other.endpoint_override = url.replace('%', '%%')
            yield other

    def _has_same_images(self, other: 'Member', region: str) -> bool | None:
        """Return whether the catalogs show one URL; None if it is unknown."""
        interface, every = (
            (_of(mine, self.region), _of(theirs, region))
            for mine, theirs in zip(self._images, other._images, strict=True)
        )
        return bool(every[0] & every[1]) if all(interface) else None


def _of(urls: _URLs, region: str) -> set[str]:
    # An endpoint without a region is that of all regions.
    return {*urls.get(region, ()), *urls.get('', ())}


def _urls(
    catalog: Any, adapter: ksa_adapter.Adapter, service_type: str | None
) -> _URLs:
    """Return the URLs of a service."""
    found: _URLs = {}
    for endpoint in endpoints(catalog, adapter, service_type):
        urls = found.setdefault(endpoint.region_name or '', {})
        urls[_normal(endpoint.url)] = endpoint.url
    return found


def _normal(url: str) -> str:
    """Return a URL without a version, scheme, usual port and last slash."""
    parts = urllib.parse.urlsplit(url.strip())
    path = re.sub('/v[0-9.]+$', '', parts.path.rstrip('/')).rstrip('/')
    host = parts.netloc.rpartition('@')[2].lower()
    return re.sub('(:443|:80)?$', '', host) + path
