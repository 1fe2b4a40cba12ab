# SPDX-License-Identifier: Apache-2.0

"""A cloud of an openstacksdk configuration: its regions, and their APIs."""

from collections.abc import Callable
import copy
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images.api import _catalog
from osc_compute_images.api import _errors
from osc_compute_images.api.clouds import _entries
from osc_compute_images.api.clouds._settings import adapter_of
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.images._api import ImagesAPI

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


class Cloud:
    """A cloud of an openstacksdk configuration.

    :param name: name of the cloud, or None for the default cloud
    :param options: command-line options, which override the configuration
    :param session_of: creates the session of a region
    :param redirect: False to follow no redirects: a redirected login sends
        the password to another server
    :param adapter_options: additional arguments of each adapter
    :raises ImagesError: for a malformed entry
    """

    def __init__(
        self,
        config: 'OpenStackConfig',
        name: str | None = None,
        *,
        options: Any = None,
        session_of: 'Callable[[CloudRegion], ksa_session.Session]' = (
            lambda settings: settings.get_session()
        ),
        redirect: bool = True,
        **adapter_options: Any,
    ) -> None:
        name = config.default_cloud if name is None else name
        self._config = _entries.checked(config, name)
        self._name = name
        self._options = options
        self._session_of = session_of
        self._redirect = redirect
        self._adapter_options = adapter_options
        self._logins: list[tuple[Any, Any]] = []
        #: The endpoint that has no region in the catalog, by the name ''.
        self._unnamed: dict[str, str] = {}

    def configured_regions(self) -> list[str]:
        """Return the regions that the configuration lists, if any."""
        entry = self._config.cloud_config['clouds'].get(self._name, {})
        return [*dict.fromkeys(r['name'] for r in entry.get('regions', ()))]

    def regions(self) -> list[str]:
        """Return the names of the regions, sorted.

        :raises ImagesError: if a login is needed and fails
        """
        return sorted(self.configured_regions()) or self._catalog_regions()

    def default_region(self) -> str:
        """Return the name of the default region, which may be empty."""
        settings = self._settings(None)
        service = None if self.configured_regions() else 'compute'
        return settings.get_region_name(service) or ''

    def api(self, region: str | None = None) -> ImagesAPI:
        """Return the images API of a region, or of the default region.

        :raises openstack.exceptions.ConfigException: if the configuration
            lists regions, but not this one
        """
        settings = self._settings(region)
        options = dict(self._adapter_options)
        if region is not None and not self.configured_regions():
            # It overrides compute_region_name.
            options['region_name'] = region or None
            if region in self._unnamed:
                options['endpoint_override'] = self._unnamed[region]
        session = self._session(settings)
        return ImagesAPI(adapter_of(settings, session, **options))

    def _settings(self, region: str | None) -> 'CloudRegion':
        config = self._config
        if region and not self.configured_regions():
            config = _entries.with_region(config, self._name, region)
        options = copy.copy(self._options)
        if region is not None and options is not None:
            options.region_name = region
            # openstacksdk would prefer it to region_name.
            vars(options).pop('os_region_name', None)
        with _entries.translated():
            return config.get_one(
                cloud=self._name, argparse=options, region_name=region or ''
            )

    def _session(self, settings: 'CloudRegion') -> 'ksa_session.Session':
        """Return a session; sessions with the same login share their auth."""
        session = self._session_of(settings)
        if not self._redirect:
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
        settings = self._settings(None)
        session = self._session(settings)
        auth: Any = session.auth
        if not hasattr(auth, 'get_access'):
            # There is no catalog.
            return [settings.get_region_name('compute') or '']
        if settings.get_endpoint('compute'):
            raise _errors.ImagesError(
                'The configuration overrides the Compute endpoint for all '
                'regions: list each region under "regions" with its own '
                'override, or remove the override'
            )
        adapter = adapter_of(settings, session)
        Client(adapter).log_in()
        names = set()
        try:
            for endpoint in _catalog.endpoints(
                auth.get_access(session).service_catalog,
                adapter,
                adapter.service_type,
                adapter.service_name,
            ):
                # NOTE: it raises TypeError if the name is not a string.
                names.add('' + (endpoint.region_name or ''))
                if not endpoint.region_name:
                    self._unnamed[''] = endpoint.url.replace('%', '%%')
        except _catalog.MALFORMED as e:
            raise _errors.InvalidResponse(
                f'The catalog is invalid: {type(e).__name__}: {e}'
            ) from e
        if not names:
            raise _errors.EndpointNotFound(
                'No region in the catalog has a Compute endpoint'
            )
        return sorted(names)
