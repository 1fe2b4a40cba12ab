# SPDX-License-Identifier: Apache-2.0

"""The images API of several clouds of an openstacksdk configuration."""

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

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig


def cloud_names(config: 'OpenStackConfig') -> list[str]:
    """Return the names of the clouds in the files of a configuration.

    The cloud of the environment variables is not included.
    """
    clouds = config.cloud_config['clouds']
    # NOTE: without clouds, openstacksdk adds one named "defaults".
    defaults = clouds.get('defaults')
    is_generated = (
        isinstance(defaults, dict)
        and defaults.keys() == config.defaults.keys()
    )
    return sorted(
        name
        for name in config.get_cloud_names()
        if name != config.envvar_key
        and not (name == 'defaults' and is_generated)
    )


def of_clouds(
    clouds: dict[str, Cloud], regions: Callable[[Cloud], Iterable[str]]
) -> dict[tuple[str, str], ImagesAPI]:
    """Return the images API of regions of each cloud.

    :param regions: returns the regions of a cloud, and may log in; it is
        called for several clouds in parallel
    """

    def apis_in(name: str) -> dict[tuple[str, str], ImagesAPI]:
        cloud = clouds[name]
        try:
            return {(name, r): cloud.api(r) for r in regions(cloud)}
        except _errors.ImagesError as e:
            error = e
        except Exception as e:  # noqa: BLE001 - an invalid configuration
            error = _config_error(e)
        return {(name, ''): ImagesAPI(_FailingAdapter(error))}

    apis: dict[tuple[str, str], ImagesAPI] = {}
    for found in _pool.map_in_threads(clouds, apis_in, parallel=PARALLEL):
        apis |= found
    return apis


class _FailingAdapter(ksa_adapter.Adapter):
    """An adapter of a cloud that cannot be used: every request fails."""

    def __init__(self, error: _errors.ImagesError) -> None:
        super().__init__(session=None)  # type: ignore[arg-type]
        self.error = error

    def get_endpoint(self, *_args: Any, **_kwargs: Any) -> str | None:
        raise self.error


def _config_error(e: Exception) -> _errors.ImagesError:
    text = ' '.join(str(e).split()) or type(e).__name__
    return _errors.ImagesError(f'The configuration is invalid: {text}')
