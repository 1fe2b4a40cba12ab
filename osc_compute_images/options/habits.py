# SPDX-License-Identifier: Apache-2.0

"""Options of other commands of OpenStackClient that users may try here.

Each is refused with one sentence that says where to find what it does.
"""

import argparse
from collections.abc import Mapping
from typing import Any
from typing import NoReturn

_ONLY_PROPERTIES = (
    'the Compute service changes only properties: use "openstack image '
    '{command} --{name}"; to choose images, use --with-... options'
)

#: Options of "openstack image set" and "unset" that assign.
ASSIGNING: Mapping[tuple[str, ...], str] = {
    ('tag',): _ONLY_PROPERTIES,
    (
        *('name', 'project', 'project-domain', 'hidden', 'unhidden'),
        *('public', 'private', 'shared', 'community', 'protected'),
        *('unprotected', 'min-disk', 'min-ram', 'accept', 'reject'),
        *('activate', 'deactivate', 'architecture', 'os-distro', 'os-version'),
        *('container-format', 'disk-format', 'kernel-id', 'ramdisk-id'),
        *('instance-id', 'pending'),
    ): _ONLY_PROPERTIES.replace('{command}', 'set'),
}

#: Options of other lists.
LISTING: Mapping[tuple[str, ...], str] = {
    ('sort',): 'use --sort-column, and --sort-ascending or --sort-descending',
    ('all', 'all-projects'): 'all images that are visible are listed, an '
    'administrator sees those of all projects; see also --all-regions, '
    '--all-clouds and --community',
    ('project', 'tag', 'hidden', 'member-status'): 'the Compute '
    'service does not know this of an image: use "openstack image {command} '
    '--{name}"',
}


def refuse(
    parser: argparse.ArgumentParser,
    options: Mapping[tuple[str, ...], str],
    command: str,
) -> None:
    """Refuse options that "openstack image" has for this command."""
    # NOTE: not added to the parser, as completion would offer what it has.
    known = getattr(parser, '_option_string_actions', {})
    for names, sentence in options.items():
        for name in names:
            known[f'--{name}'] = _Refuse(
                [f'--{name}'],
                argparse.SUPPRESS,
                nargs='?',
                const=sentence.format(command=command, name=name),
            )


class _Refuse(argparse.Action):
    """Refuse an option, with a sentence."""

    def __call__(
        self, parser: argparse.ArgumentParser, *words: Any
    ) -> NoReturn:
        parser.error(f'{words[-1]}: {self.const}')
