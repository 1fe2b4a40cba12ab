# SPDX-License-Identifier: Apache-2.0

"""Several clouds of an openstacksdk configuration, at the same time."""

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
