# SPDX-License-Identifier: Apache-2.0

"""Set the properties of images."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib.cli import parseractions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _finding
from osc_compute_images.commands import _naming
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values
from osc_compute_images.commands import _writing
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan


class SetComputeImage(_naming.NamingCommand):
    """Set the properties of images."""

    _description = _(
        'Set properties of one image, or of all images that filters select, '
        'through the Compute service'
    )
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
        self.add_choice(parser, _writing.RENAMED)
        _writing.add_option(parser)
        return parser

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return () if parsed_args.image is None else (parsed_args.image,)

    def check(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import properties

        if parsed_args.no_property and (
            parsed_args.image is None or parsed_args.dry_run
        ):
            self._parser.error(
                _('--no-property needs one image, and no --dry-run')
            )
        super().check(parsed_args)
        if parsed_args.image is None and not parsed_args.properties:
            self._parser.error(_('--property is required'))
        with _connect.translated_errors():
            properties.check_properties(parsed_args.properties or {})

    def plan_for(
        self,
        api: 'ImagesAPI',
        images: 'Iterable[Image]',
        parsed_args: argparse.Namespace,
    ) -> 'Plan':
        from osc_compute_images.api import plan

        images = [*images]
        keep = _writing.visibility_check(api, images, parsed_args)
        return plan.set_properties(images, parsed_args.properties or {}, keep)

    def change_named(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> None:
        from osc_compute_images.api import properties

        wanted = parsed_args.properties or {}
        with _connect.translated_errors():
            api, image = _finding.find(regions, parsed_args.image)
            if not wanted and not parsed_args.no_property:
                return
            _writing.check(
                api,
                image,
                self.log,
                allow_private=parsed_args.allow_private,
                replaced=image.metadata if parsed_args.no_property else wanted,
            )
            if parsed_args.no_property:
                api.replace_metadata(image.id, wanted)
                return
            stored = api.update_metadata(image.id, wanted)
        others = properties.differing(image.metadata, stored, wanted)
        if others:
            self.log.warning(
                _('Properties changed by others at the same time: %s'),
                printable(', '.join(others)),
            )
