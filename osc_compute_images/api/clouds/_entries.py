# SPDX-License-Identifier: Apache-2.0

"""Entries of ``clouds.yaml``: their names, as text."""

import copy
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig


def cloud_names(config: 'OpenStackConfig') -> list[Any]:
    """Return the names of the clouds in the files of a configuration.

    The cloud of the environment variables is not included.

    :returns: sorted; YAML may have read some of them as something else than
        text
    """
    clouds = config.cloud_config['clouds']
    # NOTE: without clouds, openstacksdk adds one named "defaults".
    defaults = clouds.get('defaults')
    is_generated = (
        isinstance(defaults, dict)
        and defaults.keys() == config.defaults.keys()
    )
    names = [
        name
        for name in config.get_cloud_names()
        if name != config.envvar_key
        and not (name == 'defaults' and is_generated)
    ]
    return sorted(names, key=str)


def check_cloud_name(name: Any) -> None:
    """Check that YAML has read the name of a cloud as text.

    :raises ImagesError: otherwise
    """
    if not isinstance(name, str):
        raise _not_text('the cloud', name)


def checked(config: 'OpenStackConfig', cloud: str | None) -> 'OpenStackConfig':
    """Return a configuration whose names of regions of a cloud are text.

    YAML reads a name without quotes such as ``1`` as a number, which is no
    region of the catalog, and ``no`` as a boolean.

    :raises ImagesError: for a name that is neither text nor a number, or for
        a malformed entry
    """
    clouds = config.cloud_config['clouds']
    if cloud is None or cloud not in clouds:
        # There is no default, or openstacksdk rejects the name.
        return config
    entry = clouds[cloud]
    if not isinstance(entry, dict):
        raise _errors.ImagesError(
            f'The configuration is invalid: the cloud is {entry!r:.80}, and '
            f'not a mapping'
        )
    changed = dict(entry)
    for key, value in entry.items():
        setting = str(key).replace('-', '_')
        if setting == 'regions':
            changed[key] = _regions(value)
        elif setting.endswith('region_name') and value is None:
            # openstacksdk fails.
            del changed[key]
        elif setting.endswith('region_name'):
            several = isinstance(value, list)
            changed[key] = [*map(_text, value)] if several else _text(value)
    return _with_entry(config, cloud, changed)


def with_region(
    config: 'OpenStackConfig', cloud: str | None, region: str
) -> 'OpenStackConfig':
    """Return a configuration with another region for a cloud.

    openstacksdk rejects a region that the entry of a cloud does not name.
    """
    entry = config.cloud_config['clouds'].get(cloud)
    if cloud is None or entry is None:
        return config
    entry = {k: v for k, v in entry.items() if k != 'region-name'}
    return _with_entry(config, cloud, {**entry, 'region_name': region})


def _with_entry(
    config: 'OpenStackConfig', cloud: str, entry: dict[str, Any]
) -> 'OpenStackConfig':
    changed = copy.copy(config)
    clouds = {**config.cloud_config['clouds'], cloud: entry}
    changed.cloud_config = {**config.cloud_config, 'clouds': clouds}
    return changed


def _regions(listed: Any) -> list[Any]:
    """Return the regions that an entry lists."""
    if not isinstance(listed, list | None):
        raise _errors.ImagesError(
            f'The configuration is invalid: "regions" is {listed!r:.80}, and '
            f'not a list'
        )
    return [*map(_region, listed or ())]


def _region(region: Any) -> Any:
    if not isinstance(region, dict):
        return _text(region)
    values = region.get('values')
    if 'name' not in region or not isinstance(values, dict | None):
        raise _errors.ImagesError(
            f'The configuration is invalid: a region is {region!r:.80}; it '
            f'needs a "name", and may have a mapping of "values"'
        )
    return {**region, 'name': _text(region['name']), 'values': values or {}}


def _text(name: Any) -> str:
    """Return the name of a region as text."""
    if isinstance(name, str | int) and not isinstance(name, bool):
        return str(name)
    raise _not_text('a region', name)


def _not_text(what: str, name: Any) -> _errors.ImagesError:
    return _errors.ImagesError(
        f'The configuration is invalid: YAML reads the name of {what} as '
        f'{name!r:.80}, and not as text; put it in quotes'
    )
