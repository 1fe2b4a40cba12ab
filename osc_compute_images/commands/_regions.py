# SPDX-License-Identifier: Apache-2.0

"""The options that select regions and clouds, and their APIs."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import logging
import shlex
from typing import NamedTuple
from typing import TYPE_CHECKING
from typing import TypeVar

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _logins
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import ImagesError
    from osc_compute_images.api._cloud import Cloud

#: The names of a region: ``()`` for the configured one, or its name, with the
#: name of its cloud before it if there are several.
Where = tuple[str, ...]

_Answer = TypeVar('_Answer')


class Places(NamedTuple):
    """The regions that a command works on.

    :param headers: the headers of the columns that name them: none, Region,
        or Cloud and Region
    :param apis: the images API of each, by the values of these columns
    """

    headers: tuple[str, ...]
    apis: 'Mapping[Where, ImagesAPI]'


def add_region(parser: argparse._ActionsContainer) -> None:
    """Add the option that selects regions, for commands that write."""
    parser.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        default=[],
        dest='regions',
        help=_(
            'Look in this region instead of the configured one (repeat '
            'option for multiple regions)'
        ),
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select other regions and clouds."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--all-regions',
        action='store_true',
        default=False,
        help=_(
            'Query all regions at the same time: those that clouds.yaml '
            'lists for the cloud, or else those with a Compute endpoint'
        ),
    )
    add_region(group)
    parser.add_argument(
        '--all-clouds',
        action='store_true',
        default=False,
        help=_(
            'Query all clouds in clouds.yaml at the same time, each in its '
            'configured region, or in those selected by --region or '
            '--all-regions. Options and variables that select or '
            'authenticate a single cloud are ignored'
        ),
    )


def chosen(
    command: _connect.ImagesCommand, parsed_args: argparse.Namespace
) -> Places:
    """Return the regions that the user has selected.

    :raises CommandError: for a region that has no Compute endpoint
    :raises ImagesError: if a login is needed and fails
    """
    wanted = sorted(set(parsed_args.regions))
    if getattr(parsed_args, 'all_clouds', False):
        return _of_all_clouds(command, parsed_args, wanted)
    if getattr(parsed_args, 'all_regions', False):
        cloud = _logins.cloud(command)
        names = cloud.regions()
    elif wanted:
        cloud = _logins.cloud(command)
        names = wanted
        _check(cloud, names)
    else:
        return Places(
            (), {(): _connect.images_api(command.app.client_manager)}
        )
    return Places(('Region',), {(name,): cloud.api(name) for name in names})


def _check(cloud: 'Cloud', names: Sequence[str]) -> None:
    if cloud.listed() or names == [cloud.default()]:
        # openstacksdk rejects regions that are not listed, and says why.
        return
    known = cloud.regions()
    for name in names:
        if name not in known:
            raise exceptions.CommandError(
                _(
                    'Region %(region)r has no Compute endpoint; choose from '
                    '%(known)s'
                )
                % {'region': name, 'known': printable(', '.join(known))}
            )


def _of_all_clouds(
    command: _connect.ImagesCommand,
    parsed_args: argparse.Namespace,
    wanted: Sequence[str],
) -> Places:
    from osc_compute_images.api._clouds import of_clouds

    clouds = _logins.all_clouds(command)

    def regions(cloud: 'Cloud') -> list[str]:
        if parsed_args.all_regions:
            return cloud.regions()
        if wanted:
            return [name for name in cloud.regions() if name in wanted]
        return [cloud.default()]

    apis = of_clouds(clouds, regions)
    for name in clouds.keys() - {cloud for cloud, _region in apis}:
        command.log.warning(
            _('Cloud %(cloud)s is skipped: it has none of these regions'),
            {'cloud': printable(name)},
        )
    if not apis:
        raise exceptions.CommandError(
            _('No cloud has a region %s') % ' or '.join(map(repr, wanted))
        )
    return Places(
        ('Cloud', 'Region'), {(*key,): api for key, api in apis.items()}
    )


def title(where: Where) -> str:
    """Return the names of a region for a message."""
    *cloud, region = where or ('',)
    words = [
        *(_('cloud %s') % name for name in cloud),
        *([_('region %s') % region] if region or not cloud else []),
    ]
    return printable(', '.join(words))


class Results:
    """The results of several regions; reports those that fail.

    :param log: where failures are reported, as soon as they are known
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._failed = False

    def exit_code(self) -> int:
        """Return 1 if any region failed."""
        return int(self._failed)

    def successful(
        self,
        regions: Iterable[Where],
        parts: 'Iterable[tuple[Where, _Answer | ImagesError]]',
    ) -> 'Iterator[tuple[Where, _Answer]]':
        """Yield the results of the regions, and report those that fail.

        :param regions: all that are queried
        :param parts: the region and its results, or its error
        :raises CommandError: if no region succeeds
        """
        from osc_compute_images import api

        left = set(regions)
        for where, images in parts:
            if not isinstance(images, api.ImagesError):
                yield where, images
                continue
            left.discard(where)
            name = title(where)
            name = name[:1].upper() + name[1:]
            if isinstance(images, api.ServerNotFound | api.FlavorNotFound):
                self._log.warning(
                    _('%(region)s is skipped: %(reason)s'),
                    {'region': name, 'reason': images},
                )
            else:
                self._failed = True
                self._log.error(
                    _('%(region)s: %(error)s'),
                    {'region': name, 'error': _connect.describe_error(images)},
                )
        if not left:
            raise exceptions.CommandError(
                _('No images to show: every region failed or was skipped')
            )


def find_all(
    places: Places, name_or_id: str
) -> 'Iterator[tuple[Where, Sequence[Image] | ImagesError]]':
    """Find the images with a name or ID in all regions in parallel."""
    from osc_compute_images.api import in_regions

    for result in in_regions(
        places.apis, lambda api: api.find_all(name_or_id)
    ):
        yield result.region, result.error or result.value or ()


def only_one(
    found: 'Iterable[tuple[Where, Sequence[Image]]]', name_or_id: str
) -> 'tuple[Where, Image]':
    """Return the only image of those found in several regions.

    :raises ImageNotFound: if there is none
    :raises AmbiguousName: if there are several
    """
    from osc_compute_images.api import AmbiguousName
    from osc_compute_images.api import ImageNotFound

    matches = [(where, image) for where, images in found for image in images]
    if not matches:
        raise ImageNotFound(
            _('No image with a name or ID of %r exists in these regions')
            % name_or_id
        )
    if len(matches) > 1:
        places = [shlex.join((*where, image.id)) for where, image in matches]
        raise AmbiguousName(
            _(
                '%(count)s images have the name or ID %(name)r; use '
                '--region and the ID of one: %(where)s'
            )
            % {
                'count': len(matches),
                'name': name_or_id,
                'where': ', '.join(places),
            },
            ids=[image.id for _where, image in matches],
        )
    return matches[0]


def find(places: Places, name_or_id: str) -> 'tuple[ImagesAPI, Image]':
    """Find the one image to change, in the selected regions.

    Any region that fails is an error, as it might have the image, too.

    :returns: the API of the region that it is in, and the image
    :raises ImagesError: if there is none, or if there are several
    """
    from osc_compute_images.api import ImagesError

    if len(places.apis) == 1:
        (api,) = places.apis.values()
        return api, api.find(name_or_id)
    found = []
    for where, images in find_all(places, name_or_id):
        if isinstance(images, ImagesError):
            raise images
        found.append((where, images))
    where, image = only_one(found, name_or_id)
    return places.apis[where], image
