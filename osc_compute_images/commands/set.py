# SPDX-License-Identifier: Apache-2.0

"""Set the properties of images."""

import argparse
from typing import TYPE_CHECKING

from osc_lib.cli import parseractions

from osc_compute_images import base
from osc_compute_images.changes.properties import PropertyCommand

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class SetComputeImage(PropertyCommand):
    """Set the properties of images."""

    _description = (
        'Set properties of one image, or of all images that filters select, '
        'through the Compute service'
    )
    verb = 'set'
    examples = (
        '--property os_distro=ubuntu my-image',
        '--property old=yes --with-created-before 1y --dry-run',
    )

    def add_property(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--property',
            metavar='<key=value>',
            action=parseractions.KeyValueAction,
            dest='properties',
            help='Set a property on this image '
            '(repeat option to set multiple properties)',
        )
        parser.add_argument(
            '--no-property',
            action='store_true',
            help='Remove all properties from this image, including those that '
            'make it a snapshot of a server (specify both --property and '
            '--no-property to replace them)',
        )

    def check(self, parsed_args: argparse.Namespace) -> None:
        if not parsed_args.properties and not parsed_args.no_property:
            raise base.UsageError('--property is required')
        if parsed_args.no_property and parsed_args.image is None:
            raise base.UsageError('--no-property needs one image')
        super().check(parsed_args)
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images import errors
        from osc_compute_images.api.changes import properties

        with errors.translated():
            properties.check_properties(parsed_args.properties or {})

    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api.changes import plan

        return plan.set_properties(
            chosen.images,
            parsed_args.properties or {},
            self.made_private(chosen, parsed_args),
            replace=parsed_args.no_property,
            named=chosen.named,
        )
