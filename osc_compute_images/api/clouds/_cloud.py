# SPDX-License-Identifier: Apache-2.0

"""A cloud of an openstacksdk configuration: its regions and their adapters."""

from collections.abc import Callable
import copy
import dataclasses
import functools
import logging
import time
from typing import Any
from typing import TYPE_CHECKING

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api.clouds import _entries
from osc_compute_images.api.clouds._adapter import adapter_of
from osc_compute_images.api.http import _catalog
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._client import Client

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config import OpenStackConfig
    from openstack.config.cloud_region import CloudRegion

#: Settings of Keystone-to-Keystone federation.
FEDERATION_SETTINGS = (
    'service_provider',
    'remote_project_id',
    'remote_project_name',
    'remote_project_domain_id',
    'remote_project_domain_name',
)


@dataclasses.dataclass(eq=False)
class Cloud:
    """A cloud of an openstacksdk configuration.

    :param name: name of the cloud, or None for the default cloud
    :param options: command-line options, which override the configuration
    :param session_of: creates the session of a region
    :param redirect: whether to follow redirects, also those of a login
    :param logger: for requests
    :raises ImagesError: for a malformed entry
    :ivar configured_regions: the settings of those that the configuration
        lists, by name
    """

    config: 'OpenStackConfig'
    name: str | None = None
    options: Any = None
    session_of: 'Callable[[CloudRegion], ksa_session.Session]' = (
        lambda settings: settings.get_session()
    )
    redirect: bool = True
    logger: logging.Logger | None = None

    def __post_init__(self) -> None:
        if self.name is None:
            self.name = self.config.default_cloud
        self.config = _entries.checked(self.config, self.name)
        self._logins: list[tuple[Any, Any]] = []
        if ask := getattr(self.config, '_pw_callback', None):
            # Once for the regions with the same settings.
            self._ask = functools.cache(lambda _own, *prompt: ask(*prompt))
        #: The endpoint that has no region in the catalog.
        self._unnamed: str | None = None
        entry = self.config.cloud_config['clouds'].get(self.name, {})
        self.configured_regions: dict[str, Any] = {
            each['name']: each['values'] for each in entry.get('regions', ())
        }

    def regions(self) -> list[str]:
        """Return the names of the regions, sorted; log in if needed."""
        return sorted(self.configured_regions) or self._catalog_regions()

    def default_region(self) -> str:
        """Return the name of the default region, which may be empty."""
        service = None if self.configured_regions else 'compute'
        return self._settings(None).get_region_name(service) or ''

    def adapter(self, region: str | None = None) -> ksa_adapter.Adapter:
        """Return the adapter of a region, or of the default region."""
        settings = self._settings(region)
        options: dict[str, Any] = {'logger': self.logger}
        if region is not None and not self.configured_regions:
            # It overrides compute_region_name.
            options['region_name'] = region or None
            if not region and self._unnamed:
                options['endpoint_override'] = self._unnamed
        return adapter_of(settings, self._session(settings), **options)

    def _settings(self, region: str | None) -> 'CloudRegion':
        config = self.config
        entry = config.cloud_config['clouds'].get(self.name)
        if region and entry is not None and not self.configured_regions:
            # NOTE: openstacksdk rejects one that the entry does not name.
            entry = {**entry, 'region_name': region}
            config = _entries.with_entry(config, self.name, entry)
        options = copy.copy(self.options)
        if region is not None and options is not None:
            options.region_name = region
            # openstacksdk would prefer it to region_name.
            vars(options).pop('os_region_name', None)
        if getattr(config, '_pw_callback', None):
            own = str(self.configured_regions.get(region or ''))
            config = copy.copy(config)
            config._pw_callback = functools.partial(self._ask, own)
        with _entries.translated():
            return config.get_one(
                cloud=self.name, argparse=options, region_name=region or ''
            )

    def _session(self, settings: 'CloudRegion') -> 'ksa_session.Session':
        """Return a session; sessions with the same login share their auth."""
        with _entries.translated():
            session = self.session_of(settings)
        if not self.redirect:
            session.redirect = False
        login = (
            settings.config.get('auth_type'),
            settings.get_auth_args(),
            settings.get_requests_verify_args(),
            *(settings.config.get(key) for key in FEDERATION_SETTINGS),
        )
        for known, auth in self._logins:
            if known == login:
                session.auth = auth
                return session
        self._logins.append((login, session.auth))
        return session

    def _catalog_regions(self) -> list[str]:
        adapter = self.adapter()
        auth: Any = adapter.session.auth
        if not hasattr(auth, 'get_access'):
            # There is no catalog.
            return [adapter.region_name or '']
        if adapter.endpoint_override:
            raise _errors.ImagesError(
                'The configuration overrides the Compute endpoint for all '
                'regions: list each region under "regions" with its own '
                'override, or remove the override'
            )
        Client(adapter).log_in()
        try:
            endpoints = _catalog.endpoints(
                auth.get_access(adapter.session).service_catalog,
                adapter,
                adapter.service_type,
                adapter.service_name,
            )
            # NOTE: it raises TypeError if the name is not a string.
            urls = {'' + (e.region_name or ''): e.url for e in endpoints}
            if '' in urls:
                self._unnamed = urls[''].replace('%', '%%')
        except Exception as e:
            raise _exceptions.of_login(e, time.monotonic()) from e
        if not urls:
            raise _errors.EndpointNotFound(
                'No region in the catalog has a Compute endpoint'
            )
        return sorted(urls)
