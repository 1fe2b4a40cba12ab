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

from keystoneauth1 import exceptions as ksa_exceptions

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
    # NOTE: without clouds, openstacksdk adds one named "defaults", with its
    # defaults at that time; a command changes the timeout.
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
    _check('the cloud', clouds[cloud], dict)
    _check('"auth"', clouds[cloud].get('auth', {}), dict)
    entry = {}
    for key, value in clouds[cloud].items():
        setting = key.replace('-', '_')
        if not setting.endswith('region_name'):
            entry[key] = value
        elif isinstance(value, list):
            entry[setting] = [*map(_text, value)]
        elif value is not None:
            # openstacksdk fails for None.
            entry[setting] = _text(value)
    made = with_entry(config, cloud, entry)
    if 'regions' in entry:
        known = entry['regions'] or []
        _check('"regions"', known, list)
    else:
        # NOTE: the only public method for this creates the settings of all
        # clouds. Without this one, the regions of the catalog are used.
        known_regions = getattr(made, '_get_known_regions', lambda _cloud: ())
        with translated():
            # NOTE: None before openstacksdk 1.0.
            known = known_regions(cloud) or ()
        if len(known) <= 1:
            return made
    entry['regions'] = [*map(_region, known)]
    return made


def with_entry(
    config: 'OpenStackConfig', cloud: Any, entry: dict[str, Any]
) -> 'OpenStackConfig':
    """Return a configuration with another entry for a cloud."""
    changed = copy.copy(config)
    clouds = {**config.cloud_config['clouds'], cloud: entry}
    changed.cloud_config = {**config.cloud_config, 'clouds': clouds}
    return changed


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Translate what openstacksdk and keystoneauth raise for invalid values.

    :raises ImagesError: instead
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise invalid(f'{type(e).__name__}: {e}') from e
    except ksa_exceptions.ClientException as e:
        raise invalid(str(e)) from e


def invalid(reason: str) -> _errors.ImagesError:
    """Return the error for an invalid configuration."""
    text = ' '.join(reason.split())
    return _errors.ImagesError(f'The configuration is invalid: {text}')


def not_text(what: str, name: Any) -> _errors.ImagesError:
    """Return the error for a name that YAML has not read as text."""
    return invalid(
        f'YAML reads the name of {what} as {name!r:.80}, and not as text; put '
        f'it in quotes'
    )


def _region(listed: Any) -> dict[str, Any]:
    """Return a region that an entry lists, as openstacksdk expands it."""
    region = listed if isinstance(listed, dict) else {'name': listed}
    if 'name' not in region:
        raise invalid('a region has no "name"')
    values = region.get('values') or {}
    _check('"values" of a region', values, dict)
    return {'name': _text(region['name']), 'values': values}


def _text(name: Any) -> str:
    """Return the name of a region as text."""
    if isinstance(name, str | int) and not isinstance(name, bool):
        return str(name)
    raise not_text('a region', name)


def _check(what: str, value: Any, kind: type) -> None:
    """Check the type of a value, which is not shown: it may be a secret."""
    if not isinstance(value, kind):
        found = 'empty' if value is None else f'of type {type(value).__name__}'
        form = 'mapping' if kind is dict else 'list'
        raise invalid(f'{what} is {found}, and not a {form}')
    for key in value if isinstance(value, dict) else ():
        if not isinstance(key, str):
            raise not_text('a setting', key)
