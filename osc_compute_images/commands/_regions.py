# SPDX-License-Identifier: Apache-2.0

"""The options that name regions, and what becomes of each region."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import logging
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name other regions than the configured one."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--all-regions',
        action='store_true',
        default=False,
        help=_('Ask all regions that have the Compute service, at once'),
    )
    group.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        default=[],
        dest='regions',
        help=_('Ask this region (repeat option to ask multiple regions)'),
    )


def chosen(
    client_manager: Any, parsed_args: argparse.Namespace
) -> list[str] | None:
    """Return the names of the regions to ask, in their order.

    :returns: None if the configured one is meant
    :raises CommandError: for a region that has no Compute service
    """
    if not parsed_args.all_regions and not parsed_args.regions:
        return None
    known = _connect.compute_regions(client_manager)
    if not known:
        raise exceptions.CommandError(
            _('The catalog has no region with Compute: %s')
            % _connect.CHECK_CATALOG
        )
    for region in parsed_args.regions:
        if region not in known:
            raise exceptions.CommandError(
                _('No region %(region)r has the Compute service; %(known)s do')
                % {'region': region, 'known': printable(', '.join(known))}
            )
    return sorted(set(parsed_args.regions)) or known


class Answers:
    """What the regions answer: images, or that something is wrong.

    :param log: where it is told, as soon as it is known
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._failed = False

    def exit_code(self) -> int:
        """Return 1 if any region failed."""
        return int(self._failed)

    def of(
        self,
        regions: Sequence[str],
        parts: 'Iterable[tuple[str, Sequence[Image] | ImagesError]]',
    ) -> 'Iterator[tuple[str, Sequence[Image]]]':
        """Yield the images, and tell of the regions that have none to give.

        :param regions: the names of all that are asked
        :param parts: what :func:`osc_compute_images.api.in_regions` yields
        :raises CommandError: if nothing came of any region
        """
        from osc_compute_images import api

        without = set()
        for region, images in parts:
            if not isinstance(images, api.ImagesError):
                yield region, images
                continue
            without.add(region)
            if isinstance(images, api.ServerNotFound | api.FlavorNotFound):
                self._log.warning(
                    _('Region %(region)s is left out: %(reason)s'),
                    {'region': printable(region), 'reason': images},
                )
            else:
                self._failed = True
                self._log.error(
                    _('Region %(region)s: %(error)s'),
                    {
                        'region': printable(region),
                        'error': _connect.explanation(images),
                    },
                )
        if without == set(regions):
            raise exceptions.CommandError(
                _('None of the %d regions has a list to show') % len(regions)
            )
