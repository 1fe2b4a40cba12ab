# SPDX-License-Identifier: Apache-2.0

"""Set the properties of images, or remove them."""

import abc
import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib.cli import parseractions

from osc_compute_images import base
from osc_compute_images.changes import command
from osc_compute_images.options import habits
from osc_compute_images.options import parsers

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class PropertyCommand(command.ChangeCommand):
    """A command that changes properties of one image, or of those chosen."""

    arguments = ('[<image>]',)

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'image',
            metavar='<image>',
            nargs='?',
            type=parsers.name_or_id,
            help='Image to modify (name or ID)',
        )
        self.add_property(parser)
        self.add_planning(parser, 'with-').add_argument(
            '--allow-private',
            action='store_true',
            help='Allow images to become private: with any change of '
            'properties, the Compute service makes a shared or community '
            'image private, so that other projects can no longer use it. '
            'Without this option, such images are not changed; "openstack '
            'image set" and "unset" keep the visibility',
        )
        habits.refuse(parser, habits.ASSIGNING, self.verb)

    @abc.abstractmethod
    def add_property(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that name properties."""

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return () if parsed_args.image is None else (parsed_args.image,)


class SetComputeImage(PropertyCommand):
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
        from osc_compute_images.changes import private

        return plan.set_properties(
            chosen.images,
            parsed_args.properties or {},
            private.made_private(self.log, chosen, parsed_args),
            replace=parsed_args.no_property,
            named=chosen.named,
        )


class UnsetComputeImage(PropertyCommand):
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
        from osc_compute_images.changes import private
        from osc_compute_images.text import printable

        made = plan.unset_properties(
            chosen.images,
            parsed_args.properties,
            private.made_private(self.log, chosen, parsed_args),
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
