# SPDX-License-Identifier: Apache-2.0

"""Commands that take images by name or ID, or select them by filters."""

import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _finding
from osc_compute_images.commands import _planning
from osc_compute_images.commands import _regions

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.usage import Usage


class NamingCommand(_planning.PlanCommand):
    """A command for images given by name or ID, or selected by filters."""

    def add_choice(
        self,
        parser: argparse.ArgumentParser,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """Add the options that select images, and those of plans."""
        self.add_planning(parser, renamed)
        parser.add_argument(
            '--all',
            action='store_true',
            help=_('Select all images that the filters do not exclude'),
        )

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """Return the names and IDs that were given."""
        raise NotImplementedError

    def change_named(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> None:
        """Change the images that were named, and report failures.

        :raises CommandError: if anything failed
        """
        raise NotImplementedError

    def plan_for(
        self,
        api: 'ImagesAPI',
        images: 'Iterable[Image]',
        parsed_args: argparse.Namespace,
    ) -> 'Plan':
        """Plan to change images that were named."""
        raise NotImplementedError

    def check(self, parsed_args: argparse.Namespace) -> None:
        if not self.named(parsed_args):
            _planning.check_is_given(parsed_args)
            super().check(parsed_args)
            return
        for given, option in (
            (_filtering.is_given(parsed_args), _('filter options')),
            (parsed_args.all, '--all'),
            (parsed_args.all_regions, '--all-regions'),
            (parsed_args.all_clouds, '--all-clouds'),
            (parsed_args.max_items is not None, '--max-items'),
        ):
            if given:
                self._parser.error(
                    _('image names and IDs are not allowed with %s') % option
                )
        if parsed_args.dry_run:
            super().check(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        if not self.named(parsed_args):
            return super().take_action(parsed_args)
        with _connect.translated_errors():
            regions = _regions.selected(self, parsed_args)
        if not parsed_args.dry_run:
            self.change_named(regions, parsed_args)
            return (), ()
        with _connect.translated_errors():
            found: dict[ImagesAPI, list[Image]] = {}
            for name in dict.fromkeys(self.named(parsed_args)):
                api, image = _finding.find(regions, name)
                found.setdefault(api, []).append(image)
            plans = {
                where: self.plan_for(api, found[api], parsed_args)
                for where, api in regions.apis.items()
                if api in found
            }
        return self.carry_out(regions, plans, parsed_args)

    def plan(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'tuple[Plan, Usage | None]':
        from osc_compute_images.api import ListOpts
        from osc_compute_images.commands import _joining

        images = _joining.Images(api, on_read=self.progress.note)
        choice = _filtering.choice(api, parsed_args, usage=images.usage)
        pages = choice.keep_newest(images.pages(ListOpts(), choice.where))
        selected = _planning.load_all(pages)
        return self.plan_for(api, selected, parsed_args), choice.usage
