# SPDX-License-Identifier: Apache-2.0

"""Delete images."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _finding
from osc_compute_images.commands import _naming
from osc_compute_images.commands import _protecting
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Outcome
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.usage import Usage


class DeleteComputeImage(_naming.NamingCommand):
    """Delete images."""

    _description = _(
        'Delete image(s) by name or ID, or all images that filters select, '
        'through the Compute service'
    )
    verb = 'delete'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'images',
            metavar='<image>',
            nargs='*',
            type=_values.name_or_id,
            help=_(
                'Image(s) to delete (name or ID). Images in use are deleted '
                'only if given by ID'
            ),
        )
        self.add_choice(parser)
        _protecting.add_option(parser)
        return parser

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        images: list[str] = parsed_args.images
        return images

    def plan(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'tuple[Plan, Usage | None]':
        from osc_compute_images.api import plan

        images, protection = _protecting.select(
            api, parsed_args, self.progress.note
        )
        return plan.delete(images, protection), protection.usage

    def plan_for(
        self,
        api: 'ImagesAPI',
        images: 'Iterable[Image]',
        parsed_args: argparse.Namespace,
    ) -> 'Plan':
        from osc_compute_images.api import plan

        images = [*images]
        given = {name.lower() for name in parsed_args.images}
        by_id = {image.id for image in images if image.id.lower() in given}
        protection = _protecting.protection_of_named(
            api, images, by_id, parsed_args
        )
        return plan.delete(images, protection)

    def change_named(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> None:
        from osc_compute_images.api import ImagesAPI
        from osc_compute_images.api import ImagesError

        failed = 0

        def report(name: str, reason: str) -> None:
            nonlocal failed
            failed += 1
            self.log.error(
                _('Failed to delete image %(image)r: %(error)s'),
                {'image': name, 'error': reason},
            )

        # NOTE: find all images before deleting the first: an ambiguous name
        # must not become unique by a deletion.
        found: dict[ImagesAPI, dict[str, Image]] = {}
        names: dict[tuple[ImagesAPI, str], str] = {}
        for name in dict.fromkeys(parsed_args.images):
            try:
                api, image = _finding.find(regions, name)
            except ImagesError as e:
                report(name, _connect.describe_error(e))
            else:
                found.setdefault(api, {})[image.id] = image
                names.setdefault((api, image.id), name)
        total = len(names) + failed
        for api, images in found.items():
            for image_id, reason in self._delete(api, images, parsed_args):
                report(names[api, image_id], reason)
        if failed:
            raise exceptions.CommandError(
                _('%(failed)s of %(total)s images failed to delete.')
                % {'failed': failed, 'total': total}
            )

    def _delete(
        self,
        api: 'ImagesAPI',
        images: 'Mapping[str, Image]',
        parsed_args: argparse.Namespace,
    ) -> 'Iterator[tuple[str, str]]':
        """Delete images of a region; yield the ID and reason of failures."""
        from osc_compute_images.api import ImagesError

        try:
            todo = self.plan_for(api, images.values(), parsed_args)
        except ImagesError as e:
            yield from dict.fromkeys(
                images, _connect.describe_error(e)
            ).items()
            return
        for outcome in api.apply(todo):
            reason = _reason_not_deleted(outcome)
            if reason:
                yield outcome.step.image.id, reason


def _reason_not_deleted(outcome: 'Outcome') -> str:
    """Return why an image was not deleted, or an empty text."""
    if outcome.error is not None:
        return _connect.describe_error(outcome.error)
    if outcome.result == 'kept':
        return _('%s. To delete it anyway, give its ID') % printable(
            outcome.reason
        )
    return printable(outcome.reason) if outcome.result == 'changed' else ''
