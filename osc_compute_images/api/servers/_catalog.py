# SPDX-License-Identifier: Apache-2.0

"""Which regions of a catalog share an Image service."""

from collections.abc import Iterator
import copy
from typing import Any
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions

from osc_compute_images.api import _catalog


class Catalog:
    """The catalog of a login, as seen from a Compute endpoint.

    :param adapter: of the Compute service, logged in
    :ivar login: identifies the login
    :ivar image_urls: of the Image service of the region; empty if unknown
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        auth: Any = adapter.auth or getattr(adapter.session, 'auth', None)
        self.login = id(auth)
        self._data = None
        try:
            self._data = auth.get_access(adapter.session).service_catalog
            self._computes = dict(self._regions(adapter.service_type))
            self._images = dict(self._regions('image'))
        except (*_catalog.MALFORMED, ksa_exceptions.ClientException):
            # Not every plugin has a catalog, nor does a failed login.
            self._computes, self._images = {}, {}
        self.region = adapter.region_name or next(iter(self._computes), '')
        self.image_urls = self._images_of(self.region)

    def others(self) -> Iterator[tuple[str, ksa_adapter.Adapter]]:
        """Yield the other regions that share the Image service, or may.

        :returns: the name of a region, and the adapter of its Compute service
        """
        own = self._computes.get(self.region, frozenset())
        for region, urls in self._computes.items():
            if region == self.region or urls & own:
                continue
            theirs = self._images_of(region)
            if not may_share(self.image_urls, theirs):
                continue
            # NOTE: a copy, which keeps the class and all settings.
            other = copy.copy(self._adapter)
            other.region_name = region or None
            other.endpoint_override = None
            yield region, other

    def _images_of(self, region: str) -> frozenset[str]:
        # An endpoint without a region is that of all regions.
        own = self._images.get(region, frozenset())
        return own | self._images.get('', frozenset())

    def _regions(
        self, service_type: str | None
    ) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield the name of each region, and the URLs of a service there."""
        found: dict[str, set[str]] = {}
        for endpoint in _catalog.endpoints(
            self._data, self._adapter, service_type
        ):
            urls = found.setdefault(endpoint.region_name or '', set())
            urls.add(_normalized(endpoint.url))
        for region, urls in found.items():
            yield region, frozenset(urls)


def may_share(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two regions have one Image service, or may have.

    :param one: the URLs of the Image service of a region; empty if unknown
    """
    return not one or not other or bool(one & other)


def _normalized(url: str) -> str:
    """Return a URL without its version, and without a slash at the end."""
    parts = urllib.parse.urlsplit(url.strip())
    path = parts.path.rstrip('/')
    head, _, last = path.rpartition('/')
    if last[:1] == 'v' and last[1:].replace('.', '').isdecimal():
        path = head
    return f'{parts.netloc.rpartition("@")[2].lower()}{path}'
