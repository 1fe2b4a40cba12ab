# SPDX-License-Identifier: Apache-2.0

"""Remove properties of images."""

import argparse
from typing import TYPE_CHECKING

from osc_compute_images import base
from osc_compute_images.changes.properties import PropertyCommand
from osc_compute_images.options import parsers

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class UnsetComputeImage(PropertyCommand):
    """Remove properties of images."""

    _description = (
        'Unset properties of one image, or of all images that filters '
        'select, through the Compute service'
    )
    verb = 'unset'
    examples = (
        '--property os_distro my-image',
        '--property old --with-property old=yes --dry-run',
    )

    def add_property(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--property',
            metavar='<key>',
            action='append',
            type=parsers.not_empty(str),
            default=[],
            dest='properties',
            help='Remove a property from this image '
            '(repeat option to remove multiple properties). Changes of '
            'the image by others at the same time may be lost silently',
        )

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._misses = False
        return super().run(parsed_args) or int(self._misses)

    def check(self, parsed_args: argparse.Namespace) -> None:
        if not parsed_args.properties:
            raise base.UsageError('--property is required')
        super().check(parsed_args)

    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api.changes import plan
        from osc_compute_images.text import printable

        made = plan.unset_properties(
            chosen.images,
            parsed_args.properties,
            self.made_private(chosen, parsed_args),
            named=chosen.named,
        )
        # NOTE: a reviewed plan may have been applied before.
        is_asked_for = chosen.named and not self.is_reviewed
        for step in made.steps if is_asked_for else ():
            for key in dict.fromkeys(parsed_args.properties):
                if not step.is_refused and key not in step.image.metadata:
                    self._misses = True
                    self.log.error(
                        'Image %(image)s has no property %(property)r',
                        {'image': printable(step.image.id), 'property': key},
                    )
        return made
