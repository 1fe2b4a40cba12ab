# SPDX-License-Identifier: Apache-2.0

"""The images API of all regions and clouds of an openstacksdk configuration.

All regions of a cloud in ``clouds.yaml``, or all regions of all clouds::

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

Each region uses its settings in openstacksdk: authentication, interface,
endpoint override, certificates, timeout, retries. Regions of a cloud with the
same authentication share one login; clouds share nothing.
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
    """Return the images API of each region of a cloud.

    The regions are those that the configuration lists as ``regions``, or else
    those with a Compute endpoint in the catalog, which needs a login.

    :param cloud: name in ``clouds.yaml``; by default openstacksdk's default
    :returns: by the name of the region, sorted. The name is empty if neither
        the configuration nor the catalog has one
    :raises ImagesError: if the login fails, or the catalog has no Compute
        endpoint
    :raises openstack.exceptions.ConfigException: if the configuration is
        invalid
    """
    configured = Cloud(config, cloud)
    return {name: configured.api(name) for name in configured.regions()}


def apis_of_all(
    config: 'OpenStackConfig',
) -> dict[tuple[str, str], ImagesAPI]:
    """Return the images API of each region of each cloud in ``clouds.yaml``.

    :returns: by the names of cloud and region. A cloud whose configuration is
        invalid, or whose login fails, has an API with an empty region name,
        and every request raises the error
    """
    clouds = {
        name: Cloud(config, name, redirect=False)
        for name in cloud_names(config)
    }
    return of_clouds(clouds, lambda cloud: cloud.regions())
