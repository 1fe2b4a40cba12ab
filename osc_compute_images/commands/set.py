# SPDX-License-Identifier: Apache-2.0

"""Set the properties of images."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib.cli import parseractions
from osc_lib.i18n import _

from osc_compute_images.changes import command
from osc_compute_images.commands import _connect
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _habits
from osc_compute_images.commands import _values
from osc_compute_images.commands import _writing

if TYPE_CHECKING:
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class SetComputeImage(command.ChangeCommand):
    """Set the properties of images."""

    _description = _(
        'Set properties of one image, or of all images that filters select, '
        'through the Compute service'
    )
    arguments = ('[<image>]',)
    verb = 'set'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            nargs='?',
            type=_values.name_or_id,
            help=_('Image to modify (name or ID)'),
        )
        parser.add_argument(
            '--property',
            metavar='<key=value>',
            action=parseractions.KeyValueAction,
            dest='properties',
            help=_(
                'Set a property on this image '
                '(repeat option to set multiple properties)'
            ),
        )
        parser.add_argument(
            '--no-property',
            action='store_true',
            help=_(
                'Remove all properties from this image, including those that '
                'make it a snapshot of a server (specify both --property and '
                '--no-property to replace them)'
            ),
        )
        self.add_planning(parser, prefix='with-')
        _filtering.add_all(parser)
        _writing.add_option(parser)
        _habits.add_assigning(parser, 'set')
        return parser

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return () if parsed_args.image is None else (parsed_args.image,)

    def check(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import properties

        if not parsed_args.properties and not parsed_args.no_property:
            raise _connect.UsageError(_('--property is required'))
        if parsed_args.no_property and parsed_args.image is None:
            raise _connect.UsageError(_('--no-property needs one image'))
        super().check(parsed_args)
        with _connect.translated_errors():
            properties.check_properties(parsed_args.properties or {})

    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        from osc_compute_images.api import plan

        return plan.set_properties(
            chosen.images,
            parsed_args.properties or {},
            _writing.visibility_check(chosen, self.log, parsed_args),
            replace=parsed_args.no_property,
            named=chosen.named,
        )
