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

#: Identifies a region: ``()`` for the configured one, ``(region,)``, or
#: ``(cloud, region)``.
RegionKey = tuple[str, ...]

_Result = TypeVar('_Result')


class Regions(NamedTuple):
    """The regions that a command works on.

    :param headers: of the columns that identify a region: none, ``Region``,
        or ``Cloud`` and ``Region``
    :param apis: the images API of each region, by the values of these columns
    """

    headers: tuple[str, ...]
    apis: 'Mapping[RegionKey, ImagesAPI]'


def _add_region(parser: 'argparse._ActionsContainer') -> None:
    parser.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        default=[],
        dest='regions',
        help=_(
            'Use this region instead of the configured one (repeat option '
            'for multiple regions)'
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
            'Query all regions in parallel: those that clouds.yaml lists for '
            'the cloud, or else those with a Compute endpoint'
        ),
    )
    _add_region(group)
    parser.add_argument(
        '--all-clouds',
        action='store_true',
        default=False,
        help=_(
            'Query all clouds in clouds.yaml in parallel, each in its '
            'configured region, or in those selected by --region or '
            '--all-regions. Options and variables that select or '
            'authenticate a single cloud are ignored'
        ),
    )


def selected(
    command: _connect.ImagesCommand, parsed_args: argparse.Namespace
) -> Regions:
    """Return the regions that the user has selected.

    :raises CommandError: for a region without a Compute endpoint
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
        return Regions(
            (), {(): _connect.images_api(command.app.client_manager)}
        )
    return Regions(('Region',), {(name,): cloud.api(name) for name in names})


def _check(cloud: 'Cloud', names: Sequence[str]) -> None:
    if cloud.configured_regions() or names == [cloud.default_region()]:
        # openstacksdk itself rejects regions that are not listed.
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
) -> Regions:
    from osc_compute_images.api._clouds import of_clouds

    clouds = _logins.all_clouds(command)

    def regions(cloud: 'Cloud') -> list[str]:
        if parsed_args.all_regions:
            return cloud.regions()
        if wanted:
            return [name for name in cloud.regions() if name in wanted]
        return [cloud.default_region()]

    apis = of_clouds(clouds, regions)
    for name in sorted(clouds.keys() - {cloud for cloud, _region in apis}):
        command.log.warning(
            _('Cloud %(cloud)s is skipped: it has none of these regions'),
            {'cloud': printable(name)},
        )
    if not apis:
        raise exceptions.CommandError(
            _('No cloud has a region %s') % ' or '.join(map(repr, wanted))
        )
    return Regions(
        ('Cloud', 'Region'), {(*key,): api for key, api in apis.items()}
    )


def describe_region(key: RegionKey) -> str:
    """Return the name of a region for a message."""
    *cloud, region = key or ('',)
    words = [
        *(_('cloud %s') % name for name in cloud),
        *([_('region %s') % region] if region or not cloud else []),
    ]
    return printable(', '.join(words))


class Results:
    """The results of several regions; reports those that fail.

    :param log: reports failures immediately
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._failed = False

    def exit_code(self) -> int:
        """Return 1 if any region failed."""
        return int(self._failed)

    def successful(
        self,
        keys: Iterable[RegionKey],
        results: 'Iterable[tuple[RegionKey, _Result | ImagesError]]',
    ) -> 'Iterator[tuple[RegionKey, _Result]]':
        """Yield the results of the regions, and report those that fail.

        :param keys: of all regions that are queried
        :param results: of a region, or its error
        :raises CommandError: if no region succeeds
        """
        from osc_compute_images import api

        successful = set(keys)
        for key, result in results:
            if not isinstance(result, api.ImagesError):
                yield key, result
                continue
            successful.discard(key)
            name = describe_region(key)
            name = name[:1].upper() + name[1:]
            if isinstance(result, api.ServerNotFound | api.FlavorNotFound):
                self._log.warning(
                    _('%(region)s is skipped: %(reason)s'),
                    {'region': name, 'reason': result},
                )
            else:
                self._failed = True
                self._log.error(
                    _('%(region)s: %(error)s'),
                    {'region': name, 'error': _connect.describe_error(result)},
                )
        if not successful:
            raise exceptions.CommandError(
                _('No images to show: every region failed or was skipped')
            )


def find_all(
    regions: Regions, name_or_id: str
) -> 'Iterator[tuple[RegionKey, Sequence[Image] | ImagesError]]':
    """Find the images with a name or ID in all regions in parallel."""
    from osc_compute_images.api import in_regions

    for result in in_regions(
        regions.apis, lambda api: api.find_all(name_or_id)
    ):
        yield result.region, result.error or result.value or ()


def only_one(
    found: 'Iterable[tuple[RegionKey, Sequence[Image]]]', name_or_id: str
) -> 'tuple[RegionKey, Image]':
    """Return the only image that was found in several regions.

    :raises ImageNotFound: if there is none
    :raises AmbiguousName: if there are several
    """
    from osc_compute_images.api import AmbiguousName
    from osc_compute_images.api import ImageNotFound

    matches = [(key, image) for key, images in found for image in images]
    if not matches:
        raise ImageNotFound(
            _('No image with a name or ID of %r exists in these regions')
            % name_or_id
        )
    if len(matches) > 1:
        choices = [shlex.join((*key, image.id)) for key, image in matches]
        raise AmbiguousName(
            _(
                '%(count)s images have the name or ID %(name)r; use '
                '--region and the ID of one: %(choices)s'
            )
            % {
                'count': len(matches),
                'name': name_or_id,
                'choices': ', '.join(choices),
            },
            ids=[image.id for _key, image in matches],
        )
    return matches[0]


def find(regions: Regions, name_or_id: str) -> 'tuple[ImagesAPI, Image]':
    """Find the one image to change, in the selected regions.

    If any region fails, it raises: that region might have the image, too.

    :returns: the API of its region, and the image
    :raises ImagesError: if there is none, or if there are several
    """
    from osc_compute_images.api import ImagesError

    if len(regions.apis) == 1:
        (api,) = regions.apis.values()
        return api, api.find(name_or_id)
    found = []
    for key, images in find_all(regions, name_or_id):
        if isinstance(images, ImagesError):
            raise images
        found.append((key, images))
    key, image = only_one(found, name_or_id)
    return regions.apis[key], image
