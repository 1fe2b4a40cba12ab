# SPDX-License-Identifier: Apache-2.0

"""Options of other commands of OpenStackClient that users may try here.

Each is refused with one sentence that says where to find what it does.
"""

import argparse
from collections.abc import Sequence
from typing import Any
from typing import NoReturn

#: Options of "openstack image set" and "unset" that assign.
_ASSIGNING = (
    *('name', 'tag', 'project', 'project-domain', 'hidden', 'unhidden'),
    *('public', 'private', 'shared', 'community', 'protected', 'unprotected'),
    *('min-disk', 'min-ram', 'accept', 'reject', 'activate', 'deactivate'),
    *('architecture', 'os-distro', 'os-version', 'container-format'),
    *('disk-format', 'kernel-id', 'ramdisk-id', 'instance-id', 'membership'),
)


def add_assigning(parser: argparse.ArgumentParser, command: str) -> None:
    """Refuse the options of ``openstack image set`` that assign.

    :param command: ``set`` or ``unset``
    """
    for name in _ASSIGNING:
        _refuse(
            parser,
            name,
            f'the Compute service changes only properties: use "openstack '
            f'image {command} --{name}"; to choose images, use --with-... '
            f'options',
        )


def add_listing(parser: argparse.ArgumentParser) -> None:
    """Refuse options of other lists."""
    _refuse(
        parser,
        'sort',
        'use --sort-column, and --sort-ascending or --sort-descending',
    )
    for name in ('all', 'all-projects'):
        _refuse(
            parser,
            name,
            'all images that are visible are listed, an administrator '
            'sees those of all projects; see also --all-regions, '
            '--all-clouds and --community',
        )
    for name in ('project', 'tag', 'hidden', 'member-status', 'protected'):
        _refuse(
            parser,
            name,
            f'the Compute service does not know this of an image: use '
            f'"openstack image list --{name}"',
        )


def _refuse(parser: argparse.ArgumentParser, name: str, sentence: str) -> None:
    # NOTE: not added to the parser, as completion would offer what it has.
    known = getattr(parser, '_option_string_actions', {})
    known[f'--{name}'] = _Refuse(
        [f'--{name}'], argparse.SUPPRESS, nargs='?', const=sentence
    )


class _Refuse(argparse.Action):
    """Refuse an option, with a sentence."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: 'str | Sequence[Any] | None',
        option_string: str | None = None,
    ) -> NoReturn:
        del namespace, values
        parser.error(f'{option_string}: {self.const}')
