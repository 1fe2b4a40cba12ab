# SPDX-License-Identifier: Apache-2.0

"""A region whose servers are read, and the regions that share its images."""

from collections.abc import Iterator
import copy
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


class Member:
    """A region whose servers are read, and the catalog of its login.

    :ivar login: identifies the login
    :ivar region: its name, empty if it has none or is unknown
    :ivar image_ids: of the images that it lists, if they were noted
    :ivar list: the servers, as last listed
    :ivar server_ids: their IDs
    """

    def __init__(self, api: 'ImagesAPI') -> None:
        self.api = api
        self.image_ids: frozenset[str] = frozenset()
        self.list = ServerList(())
        self.server_ids: frozenset[str] = frozenset()
        adapter = api.adapter
        auth: Any = adapter.auth or getattr(adapter.session, 'auth', None)
        self.login = id(auth)
        self._computes: dict[str, set[str]] = {}
        self._images: dict[str, set[str]] = {}
        try:
            catalog = auth.get_access(adapter.session).service_catalog
            self._computes, self._images = (
                _urls(catalog, adapter, service)
                for service in (adapter.service_type, 'image')
            )
        except (*MALFORMED, ksa_exceptions.ClientException):
            # Not every plugin has a catalog, nor does a failed login.
            pass
        # NOTE: an override may be the endpoint of any region.
        is_known = not adapter.endpoint_override or len(self._computes) == 1
        first = next(iter(self._computes), '') if is_known else ''
        self.region = adapter.region_name or first

    def shares_images(self, other: 'Member') -> bool:
        """Return whether it has the same Image service, or may have."""
        if self is other or self.image_ids & other.image_ids:
            return True
        urls, others = (m._image_urls(m.region) for m in (self, other))
        if urls and others:
            return bool(urls & others)
        # It is unknown; two clouds are not taken for one.
        return self.login == other.login

    def others(self) -> Iterator[ksa_adapter.Adapter]:
        """Yield the Compute service of each other region that shares images.

        Regions that may share them are included.
        """
        own = self._computes.get(self.region, set())
        images = self._image_urls(self.region)
        for region, urls in self._computes.items():
            theirs = self._image_urls(region)
            has_others = images and theirs and not images & theirs
            if region == self.region or urls & own or has_others:
                continue
            # NOTE: a copy, which keeps the class and all settings.
            other = copy.copy(self.api.adapter)
            other.region_name = region or None
            other.endpoint_override = None
            yield other

    def _image_urls(self, region: str) -> set[str]:
        """Return the URLs of the Image service; empty if unknown."""
        # An endpoint without a region is that of all regions.
        everywhere = self._images.get('', set())
        return self._images.get(region, set()) | everywhere


def _urls(
    catalog: Any, adapter: ksa_adapter.Adapter, service_type: str | None
) -> dict[str, set[str]]:
    """Return the URLs of a service, by the name of the region.

    They are without a version, and without a slash at the end.
    """
    found: dict[str, set[str]] = {}
    for endpoint in endpoints(catalog, adapter, service_type):
        parts = urllib.parse.urlsplit(endpoint.url.strip())
        path = parts.path.rstrip('/')
        head, _, last = path.rpartition('/')
        if last[:1] == 'v' and last[1:].replace('.', '').isdecimal():
            path = head
        url = f'{parts.netloc.rpartition("@")[2].lower()}{path}'
        found.setdefault(endpoint.region_name or '', set()).add(url)
    return found
