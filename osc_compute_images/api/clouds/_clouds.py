# SPDX-License-Identifier: Apache-2.0

"""The images API of several clouds of an openstacksdk configuration."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any
from typing import NamedTuple

from osc_compute_images.api import _errors
from osc_compute_images.api import _threads
from osc_compute_images.api.clouds import _entries
from osc_compute_images.api.clouds._cloud import Cloud
from osc_compute_images.api.images._api import ImagesAPI


class CloudAPIs(NamedTuple):
    """The images API of several clouds.

    :param apis: of each region, by the names of cloud and region
    :param errors: of the clouds that cannot be used, by name: the
        configuration is invalid, or the login has failed
    """

    apis: dict[tuple[str, str], ImagesAPI]
    errors: dict[str, _errors.ImagesError]


def of_clouds(
    names: Iterable[Any],
    cloud_of: Callable[[Any], Cloud],
    regions: Callable[[Cloud], Iterable[str]],
) -> CloudAPIs:
    """Return the images API of regions of each cloud.

    :param names: of the clouds
    :param cloud_of: returns a cloud, given its name
    :param regions: returns the regions of a cloud, and may log in; it is
        called for several clouds in parallel
    """

    def apis_in(name: Any) -> CloudAPIs:
        try:
            _entries.check_cloud_name(name)
            cloud = cloud_of(name)
            apis = {(name, r): cloud.api(r) for r in regions(cloud)}
        except _errors.ImagesError as e:
            return CloudAPIs({}, {str(name): e})
        except Exception as e:  # noqa: BLE001 - an invalid configuration
            return CloudAPIs({}, {str(name): _config_error(e)})
        return CloudAPIs(apis, {})

    found = CloudAPIs({}, {})
    for part in _threads.map_in_threads(names, apis_in):
        found.apis.update(part.apis)
        found.errors.update(part.errors)
    return found


def _config_error(e: Exception) -> _errors.ImagesError:
    text = ' '.join(str(e).split()) or type(e).__name__
    return _errors.ImagesError(f'The configuration is invalid: {text}')
