# SPDX-License-Identifier: Apache-2.0

"""The images API of several clouds of an openstacksdk configuration."""

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


class CloudAPIs(NamedTuple):
    """The images API of several clouds.

    :param apis: of each region, by the names of cloud and region
    :param errors: of the clouds that cannot be used, by name: the
        configuration is invalid, or the login has failed
    """

    apis: dict[tuple[str, str], ImagesAPI]
    errors: dict[str, _errors.ImagesError]


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
        try:
            _entries.check_cloud_name(name)
            cloud = Cloud(config, name, redirect=False, **options)
            return name, {(name, r): cloud.api(r) for r in regions(cloud)}
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
