# SPDX-License-Identifier: Apache-2.0

"""A plan that a person has reviewed.

Nothing in its document is trusted. The command that made it is run again, and
what it plans is restricted to what was reviewed.
"""

import argparse
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import shlex
from typing import Any

from osc_compute_images import base
from osc_compute_images.api import AmbiguousName
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import PlanRefused
from osc_compute_images.api.changes import _document
from osc_compute_images.api.changes.plan import Origin
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.changes import files
from osc_compute_images.changes.command import ChangeCommand
from osc_compute_images.commands import apply
from osc_compute_images.commands.deletion import DeleteComputeImage
from osc_compute_images.commands.deletion import PruneComputeImages
from osc_compute_images.commands.properties import SetComputeImage
from osc_compute_images.commands.properties import UnsetComputeImage
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.targets.scope import Regions
from osc_compute_images.text import printable

_COMMANDS: Mapping[str, type[ChangeCommand]] = {
    'delete': DeleteComputeImage,
    'prune': PruneComputeImages,
    'set': SetComputeImage,
    'unset': UnsetComputeImage,
}

#: The names of the columns of a document.
COLUMNS = _document.COLUMNS


class Review:
    """A document, and the command that made it.

    :param command: that applies it
    :raises PlanRefused: if it cannot be applied
    """

    def __init__(
        self, command: base.ImagesCommand, parsed_args: argparse.Namespace
    ) -> None:
        by_origin, made_by = _document.read(files.read(parsed_args.file))
        self._plans = {
            origin: Plan(tuple(steps.values()), reviewed=True)
            for origin, steps in by_origin.items()
        }
        #: The IDs of the images that it changes.
        self.ids = {
            s.image.id for plan in self._plans.values() for s in plan.changes
        }
        if not by_origin:
            made_by = 'delete', '--all'
        #: The command, as the user is shown it: rows do not have the
        #: properties that it sets.
        self.title = f'Plan of: {printable(shlex.join(made_by))}'
        word, *words = made_by or ('',)
        if word not in _COMMANDS:
            raise _refusal('it was not made by a command of this plugin')
        self.command = _COMMANDS[word](command.app, command.app_args)
        self.command.logins = command.logins
        self.command.is_reviewed = True
        try:
            self.args = self.command.get_parser('').parse_args(words)
        except SystemExit:
            raise _refusal(
                'this version does not accept the options that it was made '
                'with'
            ) from None
        self._add(parsed_args)

    def _add(self, own: argparse.Namespace) -> None:
        """Add the options of this command to those of the plan."""
        args, own = self.args, argparse.Namespace(**vars(own))
        for option in apply.ALLOWING:
            name = option[2:].replace('-', '_')
            if getattr(args, name, False) and not getattr(own, name):
                raise _refusal(
                    f'it was made with {option}, which must be given again'
                )
            setattr(own, name, getattr(args, name, False))
        if not self.command.deletes:
            if own.keep_property or own.keep_from:
                raise _refusal(
                    'it deletes nothing, and options that keep images have no '
                    'effect'
                )
        elif '-' in args.keep_from and not own.keep_from:
            raise _refusal(
                'it was made with "--keep-from -"; give --keep-from again'
            )
        else:
            # NOTE: what was stdin then is not what it is now.
            paths = [path for path in args.keep_from if path != '-']
            own.keep_from = paths + own.keep_from
            own.keep_property = args.keep_property + own.keep_property
        own.max_changes = own.max_changes or args.max_changes
        own.words = args.words
        vars(args).update(vars(own))

    def concerns(self, error: ImagesError) -> bool:
        """Return whether an error may be about an image that it changes.

        Images that were named may be gone, or their rows removed.
        """
        if isinstance(error, AmbiguousName):
            return not self.ids.isdisjoint(error.ids)
        return not isinstance(error, ImageNotFound)

    def restrict(
        self, plans: Mapping[RegionKey, Plan], regions: Regions
    ) -> dict[RegionKey, Plan]:
        """Return plans that were made again, restricted to what was reviewed.

        :raises PlanRefused: if it was made elsewhere
        """
        origins = {
            _origin(self.command, key, api): key
            for key, api in regions.apis.items()
        }
        failed = {cloud for cloud, _region in regions.failed}
        restricted = {}
        for origin, reviewed in self._plans.items():
            if origin.cloud in failed:
                continue
            if origin not in origins:
                here = ' or '.join(map(str, origins))
                raise _refusal(f'it was made in {origin}, and not in {here}')
            key = origins[origin]
            if key in plans:
                restricted[key] = plans[key].only(reviewed)
        return restricted


def _refusal(reason: str) -> PlanRefused:
    return PlanRefused(f'The plan is refused: {reason}')


def rows(
    command: base.ImagesCommand,
    words: tuple[str, ...],
    plans: Mapping[RegionKey, Plan],
    regions: Regions,
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a document of plans."""
    [word] = [w for w, kind in _COMMANDS.items() if type(command) is kind]
    for key, plan in plans.items():
        origin = _origin(command, key, regions.apis[key])
        for step in plan.steps:
            row = _document.row(step, origin, (word, *words))
            yield tuple(row.values())


def _origin(
    command: base.ImagesCommand, key: RegionKey, api: ImagesAPI
) -> Origin:
    """Return where a plan of a region is made."""
    app: Any = command.app
    own_cloud = app.options.cloud or app.cloud_config.default_cloud
    cloud = key[0] if len(key) == 2 else own_cloud
    region, project = api.adapter.region_name, None
    # NOTE: not all authentication plugins have a project.
    with contextlib.suppress(Exception):
        project = api.adapter.get_project_id()
    return Origin(cloud or None, region or None, project or None)
