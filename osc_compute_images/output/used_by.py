# SPDX-License-Identifier: Apache-2.0

"""The columns that show which servers and images use an image."""

import argparse
from collections.abc import Iterable
import logging
from typing import Any

from osc_compute_images.api import Image
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.options import select
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.text import printable

HEADERS = ('Server Name', 'Used By')


class UsedByColumn(escaping.SortedAsShown):
    """The servers and images that use an image."""

    def human_readable(self) -> str:
        """Return names, or the IDs of users without a name."""
        return ', '.join(
            printable(user.name or user.id) for user in self._value
        )

    def machine_readable(self) -> list[str]:
        """Return the IDs."""
        return [user.id for user in self._value]


def is_shown(parsed_args: argparse.Namespace) -> bool:
    """Return whether a list shows the use of images."""
    return (
        parsed_args.usage
        or select.needs_usage(parsed_args)
        or field.are_requested(HEADERS, parsed_args)
    )


def cells(usage: Usage, image: Image) -> tuple[Any, ...]:
    """Return the cells below :data:`HEADERS`."""
    server = usage.server_of(image)
    return (
        None if server is None else escaping.text_cell(server.name),
        UsedByColumn(usage.used_by(image)),
    )


def warn_of_unknown(
    log: logging.Logger,
    parsed_args: argparse.Namespace,
    usages: Iterable[Usage],
    *,
    deletes: bool = False,
) -> None:
    """Warn, once for all regions, of uses that Compute cannot report."""
    usages = [*usages]
    unknown = [usage.unknown for usage in usages]
    gaps = [gap for usage in usages for gap in usage.gaps]
    reasons = [*dict.fromkeys(gaps)]
    if any(u.other_projects for u in unknown):
        reasons.append('servers of other projects are not visible')
    elif deletes and unknown:
        log.warning('The plan covers images and servers of all projects')
    if any(u.down_cells for u in unknown):
        reasons.append(
            'servers of a cell that does not respond would not be listed '
            '(Compute lists them from microversion 2.69, and only up to '
            'the size of a page)'
        )
    on_volumes = sum(len(u.on_volumes) for u in unknown)
    if on_volumes and parsed_args.unused:
        reasons.append(
            f'servers booted from volumes, whose images are unknown: '
            f'{on_volumes}'
        )
    if reasons and (
        deletes or gaps or parsed_args.unused or parsed_args.orphaned
    ):
        log.warning('Some uses of images are unknown: %s', '; '.join(reasons))
