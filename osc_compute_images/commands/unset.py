# SPDX-License-Identifier: Apache-2.0

"""Remove properties of images."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _finding
from osc_compute_images.commands import _naming
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values
from osc_compute_images.commands import _writing

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan


class UnsetComputeImage(_naming.NamingCommand):
    """Remove properties of images."""

    _description = _(
        'Unset properties of one image, or of all images that filters '
        'select, through the Compute service'
    )
    verb = 'unset'

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
            metavar='<key>',
            action='append',
            type=_values.not_empty(str),
            default=[],
            dest='properties',
            help=_(
                'Remove a property from this image '
                '(repeat option to remove multiple properties). Changes of '
                'the image by others at the same time may be lost silently'
            ),
        )
        self.add_choice(parser, _writing.RENAMED)
        _writing.add_option(parser)
        return parser

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return () if parsed_args.image is None else (parsed_args.image,)

    def check(self, parsed_args: argparse.Namespace) -> None:
        super().check(parsed_args)
        if parsed_args.image is None and not parsed_args.properties:
            self._parser.error(_('--property is required'))

    def plan_for(
        self,
        api: 'ImagesAPI',
        images: 'Iterable[Image]',
        parsed_args: argparse.Namespace,
    ) -> 'Plan':
        from osc_compute_images.api import plan

        images = [*images]
        keep = _writing.visibility_check(api, images, parsed_args)
        return plan.unset_properties(images, parsed_args.properties, keep)

    def change_named(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> None:
        from osc_compute_images.api import PropertiesNotDeleted

        keys = dict.fromkeys(parsed_args.properties)
        with _connect.translated_errors():
            api, image = _finding.find(regions, parsed_args.image)
            if not keys:
                return
            _writing.check(
                api,
                image,
                self.log,
                allow_private=parsed_args.allow_private,
                replaced=keys,
            )
            try:
                api.delete_metadata_items(image.id, keys)
            except PropertiesNotDeleted as e:
                for key, error in e.errors.items():
                    self.log.error(
                        _('Failed to unset property %(key)r: %(error)s'),
                        {'key': key, 'error': _connect.describe_error(error)},
                    )
                raise exceptions.CommandError(
                    _('%(failed)s of %(total)s properties failed to unset.')
                    % {'failed': len(e.errors), 'total': len(keys)}
                ) from e
