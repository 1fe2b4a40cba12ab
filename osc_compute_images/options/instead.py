# SPDX-License-Identifier: Apache-2.0

"""What options and arguments are in ``openstack image``.

Those that have a counterpart there are declared with :func:`same`, where they
are declared. :mod:`.counterpart` makes the command of them.
"""

import argparse
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

#: Properties that OpenStackClient takes for other fields, or for no text.
_OTHER_FIELDS = frozenset((
    *('auto_disk_config', 'has_auto_disk_config', 'hash_algo', 'hash_value'),
    *('hw_boot_menu', 'hw_cpu_cores', 'hw_cpu_sockets', 'hw_cpu_threads'),
    *('hw_serial_port_count', 'hw_vif_multiqueue_enabled', 'hw_video_ram'),
    *('img_config_drive', 'instance_type_rxtx_factor', 'is_hidden'),
    *('is_hw_boot_menu_enabled', 'is_hw_vif_multiqueue_enabled', 'metadata'),
    *('is_protected', 'needs_config_drive', 'needs_secure_boot', 'owner_id'),
    *('os_require_quiesce', 'os_secure_boot', 'os_shutdown_timeout'),
))  # fmt: skip

#: Returns the values that an option has there, given its parsed value: none to
#: leave it out, or None if there is no counterpart.
Values = Callable[[Any], Iterable[object] | None]


class Same(NamedTuple):
    """The counterpart of an option or argument.

    :param values: returns its values
    :param unless: attributes of the options with which it means something else
    :param option: its name, if it is another one
    """

    values: Values
    unless: Collection[str] = ()
    option: str | None = None


def actions(
    parser: argparse.ArgumentParser | None,
) -> Iterator[argparse.Action]:
    """Yield the options and arguments in the order of the help."""
    for group in getattr(parser, '_action_groups', ()):
        yield from group._group_actions


def as_given(value: Any) -> Iterable[object]:
    """Return the values as they are."""
    return value if isinstance(value, list) else [value]


def nothing(_value: Any) -> Iterable[object]:
    """Leave the option out."""
    return ()


def only_one(values: Any) -> Iterable[object] | None:
    """Return the value, unless there are several."""
    return values if len(values) == 1 else None


def names(value: Any) -> Iterable[object] | None:
    """Return names; Glance reads what precedes a colon as an operator."""
    given = [*as_given(value)]
    return None if any(':' in str(name) for name in given) else given


def keys(given: Collection[str]) -> Iterable[object] | None:
    """Return the keys of properties, if all mean the same."""
    # NOTE: imported here, as it loads the API.
    from osc_compute_images.api.changes import properties

    others = properties.FIELDS | _OTHER_FIELDS
    return None if others.intersection(given) else given


def items(given: Mapping[str, str]) -> Iterable[object] | None:
    """Return properties as ``key=value``."""
    if keys(given) is None:
        return None
    return [f'{key}={value}' for key, value in given.items()]


def same(
    action: argparse.Action,
    values: Values = as_given,
    *,
    unless: Collection[str] = (),
    option: str | None = None,
) -> None:
    """Declare that an option or argument means the same there.

    See :class:`Same` for the arguments.
    """
    vars(action)['same'] = Same(values, unless, option)


def same_output(
    parser: argparse.ArgumentParser, columns: Collection[str]
) -> None:
    """Declare the options of the output, the only ones that a parser has.

    :param columns: those that both commands have. Without any, the other
        command has no output, as this one if images are named
    """

    def known(given: list[str]) -> Iterable[object] | None:
        folded = {c.strip().lower().replace(' ', '_') for c in given}
        return given if folded <= {*columns} else None

    for action in actions(parser):
        of_columns = action.dest in ('columns', 'sort_columns')
        values = known if of_columns else as_given
        same(action, values if columns else nothing)
