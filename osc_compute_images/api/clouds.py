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

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any
from typing import TYPE_CHECKING

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api import _pool
from osc_compute_images.api._client import ImagesAPI
from osc_compute_images.api._cloud import Cloud
from osc_compute_images.api._regions import PARALLEL
from osc_compute_images.api._settings import adapter_of

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig

__all__ = [
    'Cloud',
    'adapter_of',
    'apis_of',
    'apis_of_all',
    'cloud_names',
    'of_clouds',
]


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


def cloud_names(config: 'OpenStackConfig') -> list[str]:
    """Return the names of the clouds in the files of a configuration.

    The cloud that the environment describes is none of them.
    """
    clouds = config.cloud_config['clouds']
    # NOTE: where there are none, openstacksdk makes one of its defaults.
    of_defaults = clouds.get('defaults')
    made = (
        isinstance(of_defaults, dict)
        and of_defaults.keys() == config.defaults.keys()
    )
    return sorted(
        name
        for name in config.get_cloud_names()
        if name != config.envvar_key and not (name == 'defaults' and made)
    )


def of_clouds(
    clouds: dict[str, Cloud], regions: Callable[[Cloud], Iterable[str]]
) -> dict[tuple[str, str], ImagesAPI]:
    """Make the images API of some regions of each cloud.

    :param regions: tells which, and may log in for that: it is called for
        several clouds at the same time
    """

    def apis_in(name: str) -> dict[tuple[str, str], ImagesAPI]:
        cloud = clouds[name]
        try:
            return {(name, r): cloud.api(r) for r in regions(cloud)}
        except _errors.ImagesError as e:
            error = e
        except Exception as e:  # noqa: BLE001 - whatever the files hold
            error = _config_error(e)
        return {(name, ''): ImagesAPI(_Unusable(error))}

    apis: dict[tuple[str, str], ImagesAPI] = {}
    for found in _pool.each(clouds, apis_in, parallel=PARALLEL):
        apis |= found
    return apis


class _Unusable(ksa_adapter.Adapter):
    """An adapter of a cloud that cannot be used."""

    def __init__(self, error: _errors.ImagesError) -> None:
        super().__init__(session=None)  # type: ignore[arg-type]
        self.error = error

    def get_endpoint(self, *_args: Any, **_kwargs: Any) -> str | None:
        raise self.error


def _config_error(e: Exception) -> _errors.ImagesError:
    text = ' '.join(str(e).split()) or type(e).__name__
    return _errors.ImagesError(f'The configuration is wrong: {text}')
