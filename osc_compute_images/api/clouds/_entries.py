# SPDX-License-Identifier: Apache-2.0

"""Entries of ``clouds.yaml``: their names, as text.

YAML reads a name without quotes such as ``1`` as a number, which is no region
of the catalog, and ``no`` as a boolean.
"""

from collections.abc import Iterator
import contextlib
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
    generated = [config.envvar_key, *(['defaults'] if is_generated else [])]
    return sorted((c for c in clouds if c not in generated), key=str)


def checked(config: 'OpenStackConfig', cloud: Any) -> 'OpenStackConfig':
    """Return a configuration whose names of regions of a cloud are text.

    Its entry has ``regions`` if the configuration, or a vendor profile, lists
    several.

    :raises ImagesError: for a name that is neither text nor a number, or for
        a malformed entry
    """
    clouds = config.cloud_config['clouds']
    if cloud not in clouds:
        # There is no default, or openstacksdk rejects the name.
        odd = [repr(name) for name in clouds if not isinstance(name, str)]
        if cloud is not None and odd:
            raise invalid(
                f'there is no cloud {cloud!r}; YAML reads the names of other '
                f'clouds as {", ".join(odd)}, and not as text; put them in '
                f'quotes'
            )
        return config
    entry = clouds[cloud]
    _check('the cloud', entry, dict, 'a mapping')
    _check('"auth"', entry.get('auth', {}), dict, 'a mapping')
    changed = dict(entry)
    for key, value in entry.items():
        setting = key.replace('-', '_')
        if setting == 'regions':
            changed[key] = _regions(value)
        elif setting.endswith('region_name') and value is None:
            # openstacksdk fails.
            del changed[key]
        elif setting.endswith('region_name'):
            several = isinstance(value, list)
            changed[key] = [*map(_text, value)] if several else _text(value)
    made = _with_entry(config, cloud, changed)
    if 'regions' not in changed:
        # NOTE: the only public method for this creates the settings of all
        # clouds. Without this one, the regions of the catalog are used.
        known_regions = getattr(made, '_get_known_regions', lambda _cloud: ())
        with translated():
            # NOTE: None before openstacksdk 1.0.
            known = known_regions(cloud) or ()
        if len(known) > 1:
            changed['regions'] = _regions(known)
    return made


def with_region(
    config: 'OpenStackConfig', cloud: Any, region: str
) -> 'OpenStackConfig':
    """Return a configuration with another region for a cloud.

    openstacksdk rejects a region that the entry of a cloud does not name.
    """
    entry = config.cloud_config['clouds'].get(cloud)
    if entry is None:
        return config
    entry = {k: v for k, v in entry.items() if k != 'region-name'}
    return _with_entry(config, cloud, {**entry, 'region_name': region})


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Translate what openstacksdk raises for values of other types.

    :raises ImagesError: instead
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise invalid(f'{type(e).__name__}: {e}') from e


def invalid(reason: str) -> _errors.ImagesError:
    """Return the error for an invalid configuration."""
    text = ' '.join(reason.split())
    return _errors.ImagesError(f'The configuration is invalid: {text}')


def _with_entry(
    config: 'OpenStackConfig', cloud: Any, entry: dict[str, Any]
) -> 'OpenStackConfig':
    changed = copy.copy(config)
    clouds = {**config.cloud_config['clouds'], cloud: entry}
    changed.cloud_config = {**config.cloud_config, 'clouds': clouds}
    return changed


def _regions(listed: Any) -> list[dict[str, Any]]:
    """Return the regions that an entry lists, as openstacksdk expands them."""
    _check('"regions"', listed, list | None, 'a list')
    regions = []
    for region in listed or ():
        if not isinstance(region, dict):
            region = {'name': region}
        elif 'name' not in region:
            raise invalid('a region has no "name"')
        values = region.get('values')
        _check('"values" of a region', values, dict | None, 'a mapping')
        regions.append({'name': _text(region['name']), 'values': values or {}})
    return regions


def _text(name: Any) -> str:
    """Return the name of a region as text."""
    if isinstance(name, str | int) and not isinstance(name, bool):
        return str(name)
    raise not_text('a region', name)


def not_text(what: str, name: Any) -> _errors.ImagesError:
    """Return the error for a name that YAML has not read as text."""
    return invalid(
        f'YAML reads the name of {what} as {name!r:.80}, and not as text; put '
        f'it in quotes'
    )


def _check(what: str, value: Any, kind: Any, form: str) -> None:
    """Check the type of a value, which is not shown: it may be a secret."""
    if not isinstance(value, kind):
        found = 'empty' if value is None else f'of type {type(value).__name__}'
        raise invalid(f'{what} is {found}, and not {form}')
    for key in value if isinstance(value, dict) else ():
        if not isinstance(key, str):
            raise not_text('a setting', key)
