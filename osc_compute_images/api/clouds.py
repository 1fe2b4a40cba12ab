# SPDX-License-Identifier: Apache-2.0

"""The images API of all regions and clouds of an openstacksdk configuration.

All regions of a cloud of ``clouds.yaml``, or all that all its clouds have::

    import openstack.config
    from osc_compute_images.api import clouds
    from osc_compute_images.api import in_regions

    config = openstack.config.OpenStackConfig()
    apis = clouds.apis_of(config, 'mycloud')
    for result in in_regions(apis, lambda api: api.find_all('ubuntu-24.04')):
        print(result.region, result.value or result.error)

    apis = clouds.apis_of_all(config)
    for result in in_regions(apis, lambda api: api.find_all('ubuntu-24.04')):
        cloud, region = result.region
        print(cloud, region, result.value or result.error)

Each region has the settings that openstacksdk has for it: authentication,
interface, endpoint override, certificates, timeout, retries. Regions of a
cloud that are authenticated alike share one login; clouds share nothing.
"""

from typing import TYPE_CHECKING

from osc_compute_images.api._client import ImagesAPI
from osc_compute_images.api._cloud import Cloud
from osc_compute_images.api._clouds import cloud_names
from osc_compute_images.api._clouds import of_clouds

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig

__all__ = ['apis_of', 'apis_of_all']


def apis_of(
    config: 'OpenStackConfig', cloud: str | None = None
) -> dict[str, ImagesAPI]:
    """Make the images API of each region of a cloud.

    The regions are those that the configuration lists as ``regions``, or else
    those with a Compute endpoint in the catalog, for which it logs in.

    :param cloud: its name in ``clouds.yaml``; by default the one that
        openstacksdk would choose
    :returns: by the name of the region, in the order of the names; the name
        is empty where neither the configuration nor the catalog has one
    :raises ImagesError: if the login fails, or the catalog has no Compute
    :raises openstack.exceptions.ConfigException: if openstacksdk cannot make
        sense of the configuration
    """
    configured = Cloud(config, cloud)
    return {name: configured.api(name) for name in configured.regions()}


def apis_of_all(
    config: 'OpenStackConfig',
) -> dict[tuple[str, str], ImagesAPI]:
    """Make the images API of each region of each cloud in ``clouds.yaml``.

    :returns: by the names of cloud and region. A cloud that cannot be
        configured or logged in to is there, too, with an empty name for the
        region: whatever its API is asked raises the error
    """
    clouds = {
        name: Cloud(config, name, redirect=False)
        for name in cloud_names(config)
    }
    return of_clouds(clouds, lambda cloud: cloud.regions())
