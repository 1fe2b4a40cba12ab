# SPDX-License-Identifier: Apache-2.0

"""Show an image; wait until it is active."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import progress_bar
from osc_compute_images.targets import finder
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets import time_limit

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import WaitError

#: Exit codes of --wait, if the image does not become active.
EXIT_ERROR = 3
EXIT_DELETED = 4
EXIT_VANISHED = 5
EXIT_TIMEOUT = 6


class ShowComputeImage(base.ImagesCommand, command.ShowOne):
    """Show an image."""

    _description = 'Show details of an image, through the Compute service'
    _epilog: Any = (
        'With --wait, the exit code is 3 if the image has status ERROR, 4 '
        'for DELETED, 5 if the image no longer exists, and 6 if --timeout '
        'expired.'
    )
    arguments = ('<image>',)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            type=parsers.name_or_id,
            help='Image to display (name or ID)',
        )
        parser.add_argument(
            '--wait',
            action='store_true',
            help='Wait until the image is active',
        )
        parser.add_argument(
            '--timeout',
            metavar='<seconds>',
            type=parsers.seconds,
            help='Maximum time for --wait, in seconds (default: no maximum)',
        )
        parser.add_argument(
            '--human-readable',
            action='store_true',
            help='Print the size of the image in a human-friendly format',
        )
        scope.add_options(parser)
        return parser

    def check(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.timeout is not None and not parsed_args.wait:
            raise base.UsageError('--timeout needs --wait')

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._progress = progress_bar.Progress(self.app)
        self._results = results.Results(self.log, self._progress)
        self._limit = time_limit.TimeLimit(parsed_args.timeout)
        try:
            with self._limit:
                return super().run(parsed_args) or self._results.exit_code()
        except time_limit.ExpiredError as e:
            self.log.error('%s', e)
            return EXIT_TIMEOUT
        except _WaitFailed as e:
            self.log.error('%s', e)
            return e.exit_code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        from osc_compute_images.api import WaitError

        with base.translated_errors():
            regions = scope.selected(self, parsed_args)
            region, image = self._find(regions, parsed_args.image)
            api = regions.apis[region]
            if parsed_args.wait:
                try:
                    # The wait has a timeout of its own.
                    self._limit.stop()
                    image = self._wait(api, image, parsed_args.timeout)
                except WaitError as e:
                    raise _WaitFailed(e) from e
        names = [header.lower() for header in regions.headers]
        fields = field.shown(
            image,
            dict(zip(names, region, strict=True)),
            human_sizes=parsed_args.human_readable,
        )
        escape = escaping.cell_escaper(self.app.stdout, parsed_args.formatter)
        return tuple(fields), escape(fields.values())

    def _find(
        self, regions: scope.Regions, name_or_id: str
    ) -> 'tuple[scope.RegionKey, Image]':
        if not regions.headers:
            ((region, api),) = regions.apis.items()
            return region, api.find(name_or_id)
        found = self._results.successful(
            regions, finder.find_all(regions, name_or_id)
        )
        return finder.only_one(found, name_or_id)

    def _wait(
        self, api: 'ImagesAPI', image: 'Image', timeout: float | None
    ) -> 'Image':
        with self._progress.waiting() as show:
            return api.wait_for(image, timeout=timeout, on_poll=show)


class _WaitFailed(Exception):
    """The wait failed; has the exit code."""

    def __init__(self, e: 'WaitError') -> None:
        from osc_compute_images import api

        super().__init__(str(e))
        if isinstance(e, api.WaitTimedOut):
            self.exit_code = EXIT_TIMEOUT
        elif isinstance(e, api.ImageVanished):
            self.exit_code = EXIT_VANISHED
        elif e.image is not None and e.image.state == 'DELETED':
            self.exit_code = EXIT_DELETED
        else:
            self.exit_code = EXIT_ERROR
