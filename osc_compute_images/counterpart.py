# SPDX-License-Identifier: Apache-2.0

"""The ``openstack image`` command that does the same as a command.

It has the user's own words. There is none if one of them means something else
there, or nothing: with less, it might list or delete more.
"""

import argparse
from collections.abc import Mapping
import contextlib
import io
import shlex
from typing import Any

from openstack.image.v2 import image as sdk_image

from osc_compute_images import base
from osc_compute_images.api.changes import properties
from osc_compute_images.output import field
from osc_compute_images.text import printable

#: What means the same in both commands, by the name of the command.
_SAME = {
    'list': {
        *('name', 'status', 'property', 'visibility', 'limit', 'marker'),
        *('long', 'formatter', 'columns', 'sort_columns'),
    },
    'show': {'image', 'human_readable', 'formatter', 'columns'},
    'set': {'image', 'properties'},
    'unset': {'image', 'properties'},
    'delete': {'images'},
}
_COLUMNS = {
    'list': {'id', 'name', 'status'},
    'show': {'id', 'name', 'status', 'min_disk', 'min_ram', 'size'},
}
#: Flags that are not needed there.
_NOT_NEEDED = {'auto_approve', 'force', 'allow_private'}

#: Global options: those that say where, and those that do not matter, or are
#: the same as others. A login is not repeated.
_PLACES = {'cloud', 'region_name', 'interface'}
_OTHERS = {
    *('debug', 'deferred_help', 'log_file', 'os_compute_api_version'),
    *('tenant_id', 'tenant_name', 'timing', 'verbose_level'),
}
#: What is said if there is no such command.
NONE = '"openstack image" uses the Image service instead'

#: The most images that Glance puts on a page.
_MAX_PAGE = 1000


def advice(
    command: base.ImagesCommand, parsed_args: argparse.Namespace
) -> str:
    """Return a sentence that tells how to do the same."""
    line = line_of(command, parsed_args)
    if line is None:
        return NONE
    caution = getattr(command, 'deletes', False) and (
        ', which does not keep an image that a server is stored in'
    )
    return f'Use the Image service instead{caution or ""}: {line}'


def line_of(
    command: base.ImagesCommand, parsed_args: argparse.Namespace
) -> str | None:
    """Return the command that does the same, for a shell, or None."""
    verb = (command.cmd_name or '').rpartition(' ')[2]
    parser = command.get_parser('')
    # An abbreviation may be one of another option there.
    parser.allow_abbrev = False
    flags = {f'--{name.replace("_", "-")}' for name in _NOT_NEEDED}
    words = [word for word in parsed_args.words if word not in flags]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            said = _given(parser.parse_args(parsed_args.words), parser)
            given = _given(parser.parse_args(words), parser)
    except SystemExit:
        return None
    shell = _given(command.app.options, command.app.parser)
    places = [
        f'--os-{name.replace("_", "-")}={shell[name]}'
        for name in sorted(_PLACES & shell.keys())
    ]
    line = shlex.join(('openstack', *places, 'image', verb, *words))
    is_the_same = (
        verb in _SAME
        and not given.keys() - _SAME[verb]
        # Otherwise, what looks like a flag was the name of an image.
        and {k: v for k, v in said.items() if k not in _NOT_NEEDED} == given
        and not shell.keys() - _PLACES - _OTHERS
        and _means_the_same(verb, given)
        and line == printable(line)
    )
    return line if is_the_same else None


def _given(
    parsed_args: argparse.Namespace, parser: argparse.ArgumentParser
) -> dict[str, Any]:
    """Return what the user has given, by the name of its attribute."""
    return {
        name: value
        for name, value in vars(parsed_args).items()
        if value and value != parser.get_default(name) and name != 'words'
    }


def _means_the_same(verb: str, given: Mapping[str, Any]) -> bool:
    """Return whether values mean the same in ``openstack image``."""
    names = (
        *(*given.get('name', ()), *given.get('images', ())),
        *(given.get('image', ''), given.get('marker', '')),
    )
    columns = given.get('columns', []) + given.get('sort_columns', [])
    chosen = given.get('property', ())
    keys = (*given.get('properties', ()), *(key for key, *_ in chosen))
    return (
        # Glance reads what precedes a colon as an operator.
        not any(':' in name for name in names)
        and len(given.get('name', ())) < 2
        # The only status of both services; Glance compares the case.
        and given.get('status', ['active']) == ['active']
        and {*map(field.folded, columns)} <= _COLUMNS.get(verb, set())
        # There, properties are looked for on the page that was asked for.
        and not (chosen and 'limit' in given)
        and given.get('limit', 1) <= _MAX_PAGE
        and all(value and wanted for _, value, wanted in chosen)
        and len({*keys}) == len(keys)
        and not _other_fields().intersection(keys)
    )


def _other_fields() -> set[str]:
    """Return the keys that OpenStackClient takes for other fields."""
    found = {*properties.FIELDS}
    for kind in sdk_image.Image.__mro__:
        for attribute, value in vars(kind).items():
            name = getattr(value, 'name', None)
            is_text = getattr(value, 'type', None) is None
            if isinstance(name, str) and not (is_text and name == attribute):
                found |= {attribute, name}
    return found
