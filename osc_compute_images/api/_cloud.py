# SPDX-License-Identifier: Apache-2.0

"""One cloud of an openstacksdk configuration: its regions, and their APIs."""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import copy
from typing import Any
from typing import TYPE_CHECKING

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api._client import ImagesAPI
from osc_compute_images.api._settings import adapter_of
from osc_compute_images.api.http import Client

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config import OpenStackConfig
    from openstack.config.cloud_region import CloudRegion

#: Where a login at one Keystone leads to another one.
_SCOPE_ELSEWHERE = (
    'service_provider',
    'remote_project_id',
    'remote_project_name',
    'remote_project_domain_id',
    'remote_project_domain_name',
)


class Cloud:
    """A cloud as openstacksdk has it configured.

    :param config: openstacksdk's configuration
    :param name: the name of the cloud, or None for the default one
    :param options: options of the command line, which override the
        configuration
    :param session_of: what makes the session of a region instead of
        ``CloudRegion.get_session``
    :param redirect: False to follow no redirects: a redirected login carries
        the password to wherever it is sent
    :param more: more arguments for each adapter
    """

    def __init__(
        self,
        config: 'OpenStackConfig',
        name: str | None = None,
        *,
        options: Any = None,
        session_of: 'Callable[[CloudRegion], ksa_session.Session] | None' = (
            None
        ),
        redirect: bool = True,
        **more: Any,
    ) -> None:
        self._config = config
        self._name = config.default_cloud if name is None else name
        self._options = options
        self._session_of = session_of
        self._redirect = redirect
        self._more = more
        self._logins: list[tuple[Any, Any]] = []
        #: Endpoints that the catalog has in no region, by the name ''.
        self._unnamed: dict[str, str] = {}

    def listed(self) -> list[str]:
        """Return the regions that the configuration lists, if it does."""
        entry = self._config.cloud_config['clouds'].get(self._name)
        if self._name is None or entry is None:
            return []
        # NOTE: openstacksdk has no public method for this that does not make
        # the settings of all clouds.
        known = self._config._get_known_regions(self._name)
        # It returns None before openstacksdk 1.0.
        names = [region['name'] for region in known or ()]
        return names if 'regions' in entry or len(names) > 1 else []

    def regions(self) -> list[str]:
        """Return the regions, in the order of their names.

        :raises ImagesError: if that takes a login, and it fails
        """
        return sorted(self.listed()) or self._in_catalog()

    def default(self) -> str:
        """Return the region that is meant where none is named."""
        settings = self._settings(None)
        service = None if self.listed() else 'compute'
        return settings.get_region_name(service) or ''

    def api(self, region: str | None = None) -> ImagesAPI:
        """Make the images API of a region; by default of the default one.

        :raises openstack.exceptions.ConfigException: for a region that is
            not listed, if there is a list
        """
        settings = self._settings(region)
        more = dict(self._more)
        if region is not None and not self.listed():
            # What is set for Compute alone names one region for all.
            more['region_name'] = region or None
            if region in self._unnamed:
                more['endpoint_override'] = self._unnamed[region]
        session = self._session(settings)
        return ImagesAPI(adapter_of(settings, session, **more))

    def _settings(self, region: str | None) -> 'CloudRegion':
        config = self._config
        if region and not self.listed():
            config = _with_region(config, self._name, region)
        options = copy.copy(self._options)
        if region is not None and options is not None:
            options.region_name = region
            # openstacksdk prefers this one, where there are both.
            vars(options).pop('os_region_name', None)
        return config.get_one(
            cloud=self._name, argparse=options, region_name=region or ''
        )

    def _session(self, settings: 'CloudRegion') -> 'ksa_session.Session':
        """Return a session, which shares its login with those like it."""
        session = (
            settings.get_session()
            if self._session_of is None
            else self._session_of(settings)
        )
        if not self._redirect:
            session.redirect = False
        login = (
            settings.config.get('auth_type'),
            settings.get_auth_args(),
            settings.get_requests_verify_args(),
            *(settings.config.get(key) for key in _SCOPE_ELSEWHERE),
        )
        for known, auth in self._logins:
            if known == login:
                session.auth = auth
                return session
        self._logins.append((login, session.auth))
        return session

    def _in_catalog(self) -> list[str]:
        settings = self._settings(None)
        session = self._session(settings)
        auth: Any = session.auth
        if not hasattr(auth, 'get_access'):
            # Without a catalog there is only what is configured.
            return [settings.get_region_name('compute') or '']
        if settings.get_endpoint('compute'):
            raise _errors.ImagesError(
                'The configuration overrides the Compute endpoint with a '
                'single one: to ask other regions, list each under "regions" '
                'with an override of its own, or remove the override'
            )
        adapter = adapter_of(settings, session)
        with contextlib.suppress(_errors.EndpointNotFound):
            # It tells of a failed login in words of its own.
            Client(adapter).server()
        catalog = auth.get_access(session).service_catalog
        names = set()
        try:
            for endpoint in _endpoints(catalog, adapter):
                # NOTE: it fails for what is no text.
                names.add('' + (endpoint.region_name or ''))
                if not endpoint.region_name:
                    self._unnamed[''] = endpoint.url.replace('%', '%%')
            found = sorted(names)
        except (
            AttributeError,
            IndexError,
            KeyError,
            TypeError,
            ValueError,
        ) as e:
            raise _errors.InvalidResponse(
                f'The catalog cannot be read: {type(e).__name__}: {e}'
            ) from e
        if not found:
            raise _errors.EndpointNotFound(
                'The catalog has no region with Compute'
            )
        return found


def _with_region(
    config: 'OpenStackConfig', cloud: str | None, region: str
) -> 'OpenStackConfig':
    """Return a configuration whose cloud names another region.

    openstacksdk refuses a region that an entry does not name.
    """
    clouds = config.cloud_config['clouds']
    if cloud not in clouds:
        return config
    entry = {k: v for k, v in clouds[cloud].items() if k != 'region-name'}
    changed = copy.copy(config)
    changed.cloud_config = {
        **config.cloud_config,
        'clouds': {**clouds, cloud: {**entry, 'region_name': region}},
    }
    return changed


def _endpoints(catalog: Any, adapter: ksa_adapter.Adapter) -> Iterable[Any]:
    interface = adapter.interface
    # NOTE: keystoneauth takes the first interface of several that any region
    # has, and only the regions that have it.
    for each in interface if isinstance(interface, list) else [interface]:
        by_type = catalog.get_endpoints_data(
            service_type=adapter.service_type,
            service_name=adapter.service_name,
            interface=each,
        )
        for endpoints in by_type.values():
            yield from endpoints
