# SPDX-License-Identifier: Apache-2.0

"""The images API of regions and clouds of an openstacksdk configuration.

A cloud in ``clouds.yaml``, all regions of it, or all regions of all clouds::

    import openstack.config
    from osc_compute_images.api import clouds
    from osc_compute_images.api import in_regions

    config = openstack.config.OpenStackConfig()
    api = clouds.api_of(config, 'mycloud')
    print(api.find_all('ubuntu-24.04'))

    apis = clouds.apis_of(config, 'mycloud')
    for result in in_regions(apis, lambda api: api.find_all('ubuntu-24.04')):
        print(result.region, result.unwrap())

    everywhere, errors = clouds.apis_of_all(config)
    print(errors)
    for found in in_regions(everywhere, lambda api: api.find_all('ubuntu')):
        print(*found.region, found.error or found.unwrap())

Each region uses its settings in openstacksdk: authentication, interface,
endpoint override, certificates, timeout, retries. Regions of a cloud with the
same authentication share one login; clouds share nothing.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any
from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api import _threads
from osc_compute_images.api.clouds import _entries
from osc_compute_images.api.clouds._cloud import Cloud
from osc_compute_images.api.images._api import ImagesAPI

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig

__all__ = ['CloudAPIs', 'api_of', 'apis_of', 'apis_of_all']


class CloudAPIs(NamedTuple):
    """The images API of several clouds.

    :param apis: of each region, by the names of cloud and region
    :param errors: of the clouds that cannot be used, by name: the
        configuration is invalid, or the login has failed
    """

    apis: dict[tuple[str, str], ImagesAPI]
    errors: dict[str, _errors.ImagesError]


def api_of(
    config: 'OpenStackConfig',
    cloud: str | None = None,
    region: str | None = None,
) -> ImagesAPI:
    """Return the images API of a cloud. It does not log in.

    :param cloud: name in ``clouds.yaml``; by default openstacksdk's default
    :param region: by default the configured one, the first of several. If the
        configuration lists no ``regions``, any region of the catalog
    :raises ImagesError: for a malformed entry or setting
    :raises openstack.exceptions.ConfigException: if there is no such cloud,
        or the configuration lists ``regions``, but not this one
    """
    return ImagesAPI(Cloud(config, cloud).adapter(region))


def apis_of(
    config: 'OpenStackConfig', cloud: str | None = None
) -> dict[str, ImagesAPI]:
    """Return the images API of each region of a cloud.

    The regions are those that the configuration lists as ``regions``, or else
    those with a Compute endpoint in the catalog, which needs a login.

    :param cloud: as for :func:`api_of`
    :returns: by the name of the region, sorted. The name is empty if neither
        the configuration nor the catalog has one
    :raises ImagesError: if the login fails, or the catalog has no Compute
        endpoint
    :raises openstack.exceptions.ConfigException: if there is no such cloud
    """
    of = Cloud(config, cloud)
    return {name: ImagesAPI(of.adapter(name)) for name in of.regions()}


def apis_of_all(config: 'OpenStackConfig') -> CloudAPIs:
    """Return the images API of each region of each cloud in ``clouds.yaml``.

    Redirects are not followed, not even those of a login: it would send the
    password to another server.

    :returns: the APIs, and the errors of clouds that cannot be used
    """
    return of_clouds(config)


def of_clouds(
    config: 'OpenStackConfig',
    regions: Callable[[Cloud], Iterable[str]] = Cloud.regions,
    **options: Any,
) -> CloudAPIs:
    """Return the images API of regions of each cloud of a configuration.

    :param regions: returns the regions of a cloud, and may log in; it is
        called for several clouds in parallel
    :param options: of each cloud
    """

    def read(name: Any) -> tuple[Any, Any]:
        if not isinstance(name, str):
            return name, _entries.not_text('the cloud', name)
        try:
            cloud = Cloud(config, name, redirect=False, **options)
            return name, {
                (name, r): ImagesAPI(cloud.adapter(r)) for r in regions(cloud)
            }
        except _errors.ImagesError as e:
            return name, e
        except Exception as e:  # noqa: BLE001 - an invalid configuration
            return name, _entries.invalid(str(e) or type(e).__name__)

    found = CloudAPIs({}, {})
    names = _entries.cloud_names(config)
    for name, made in _threads.map_in_threads(names, read):
        if isinstance(made, _errors.ImagesError):
            found.errors[str(name)] = made
        else:
            found.apis.update(made)
    return found
