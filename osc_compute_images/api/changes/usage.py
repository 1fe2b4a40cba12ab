# SPDX-License-Identifier: Apache-2.0

"""Which images are in use, and by what: a join of images and servers.

List the images that nothing uses::

    usage = api.usage()
    for image in api.list_detail(where=usage.unused()):
        print(image.name)

An image is in use if a server was booted from it or is, or may be, stored in
it, or if another image needs it: see :ref:`use-of-images`, also for what
Compute never reports.
"""

from collections import defaultdict
from collections.abc import Iterable
import copy
import dataclasses
import itertools
from typing import TypeAlias

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _links
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList

__all__ = ['Unknown', 'Usage']

#: What uses an image.
User: TypeAlias = Server | ImageRef


@dataclasses.dataclass(frozen=True)
class Unknown:
    """The unknown uses of images, other than the gaps.

    :param other_projects: whether servers of other projects, which are not
        visible, may use visible images
    :param on_volumes: servers booted from a volume; Compute does not report
        the image that the volume was created from
    :param down_cells: whether Compute would have left out the servers of a
        cell that does not respond
    """

    other_projects: bool
    on_volumes: tuple[Server, ...]
    down_cells: bool


class Usage:
    """Which servers and images use which images; sends no requests.

    :param servers: all visible servers
    :param images: all visible images; iterated once, and not held in memory.
        An entry of a :class:`~osc_compute_images.api.Pager` that is no image
        is a gap
    :param accept_gaps: select unused and orphaned images even if there are
        gaps, from what was read
    """

    def __init__(
        self,
        servers: ServerList,
        images: Iterable[Image],
        *,
        accept_gaps: bool = False,
    ) -> None:
        self._accept_gaps = accept_gaps
        # NOTE: by IDs in lower case: that of a reference may differ.
        self._needing: dict[str, list[ImageRef]] = defaultdict(list)
        self._incomplete: list[str] = []
        if isinstance(images, Pager):
            pages = images.pages()
            images = itertools.chain.from_iterable(map(_links.entries, pages))
        for image in images:
            if not image.is_complete:
                self._incomplete.append(image.id or 'one without an ID')
            for needed in _links.needs(image):
                ref = ImageRef(image.id, image.name)
                self._needing[needed.lower()].append(ref)
        self._read(servers)

    def with_servers(self, servers: ServerList) -> 'Usage':
        """Return the usage for another list of servers."""
        usage = copy.copy(self)
        usage._read(servers)
        return usage

    def _read(self, servers: ServerList) -> None:
        self._list = servers
        self._servers: dict[str, list[Server]] = defaultdict(list)
        self._booted: dict[str, list[Server]] = defaultdict(list)
        self._stored_as: dict[str, list[Server]] = defaultdict(list)
        for server in servers.servers:
            self._servers[server.id.lower()].append(server)
            for image_id in (server.image_id, *server.kernel_ids):
                if image_id is not None:
                    self._booted[image_id.lower()].append(server)
            if server.may_need_snapshots:
                # NOTE: '' stands for all names, if its own is unknown.
                for suffix in _links.STORED if server.name else ('',):
                    self._stored_as[f'{server.name}{suffix}'].append(server)

    @property
    def gaps(self) -> tuple[str, ...]:
        """What could not be read, a sentence each: any image may be in use."""
        if not self._incomplete:
            return self._list.gaps
        unknown = (
            f'Compute does not tell the properties of these images, which may '
            f'need any other: {_ids.joined(self._incomplete)}'
        )
        return (*self._list.gaps, unknown)

    @property
    def unknown(self) -> Unknown:
        """The other uses of images that are unknown."""
        servers = self._list.servers
        return Unknown(
            other_projects=not self._list.all_projects,
            on_volumes=tuple(s for s in servers if s.is_volume_backed),
            down_cells=not self._list.shows_down_cells,
        )

    def check_gaps(self) -> None:
        """Check that everything was read, or that the gaps are accepted.

        :raises GapsFound: otherwise
        """
        if self.gaps and not self._accept_gaps:
            text = '; '.join(self.gaps)
            raise _errors.GapsFound(
                f'It is unknown which images are in use: {text}',
                gaps=self.gaps,
            )

    def server_of(self, image: Image) -> Server | None:
        """Return the server that an image was taken from, if it exists."""
        return next(iter(self._taken_from(image)), None)

    def stored_in(self, image: Image) -> tuple[Server, ...]:
        """Return the servers that are, or may be, stored in an image.

        Deleting the image of such a server may destroy the server.
        """
        if _links.is_named_as_stored(image):
            nameless = self._stored_as.get('', [])
            return tuple(self._stored_as.get(image.name or '', nameless))
        servers = self._taken_from(image)
        return tuple(s for s in servers if s.may_need_snapshots)

    def booted_from(self, image: Image) -> tuple[Server, ...]:
        """Return the servers that were booted from an image, or with it.

        The latter have it as their kernel or ramdisk.
        """
        return tuple(self._booted.get(image.id.lower(), ()))

    def needed_by(self, image: Image) -> tuple[ImageRef, ...]:
        """Return the images that need an image, as a kernel for example."""
        return tuple(self._needing.get(image.id.lower(), ()))

    def used_by(self, image: Image) -> tuple[User, ...]:
        """Return the servers, then the images that use an image."""
        servers = self.booted_from(image) + self.stored_in(image)
        users = servers + self.needed_by(image)
        return tuple({user.id: user for user in users}.values())

    def is_used(self, image: Image) -> bool:
        """Return whether anything is known to use an image."""
        return bool(self.used_by(image))

    def is_server_unread(self, image: Image) -> bool:
        """Return whether the server of an image may be an unread one."""
        if self._taken_from(image):
            return False
        if image.server_id is None and not image.is_complete:
            return True
        if not self._list.all_projects and _links.is_of_another_project(image):
            return True
        may_be_stored = _links.is_named_as_stored(image)
        return bool(self._list.missing) and (
            image.server_id is not None or may_be_stored
        )

    def is_orphaned(self, image: Image) -> bool:
        """Return whether the server of an image no longer exists.

        A server of another project that is not visible counts as deleted,
        unless the image tells that it is one.
        """
        may_exist = self._taken_from(image) or self.is_server_unread(image)
        return image.server_id is not None and not may_exist

    def unused(self) -> Filter:
        """Select images that nothing is known to use.

        :raises GapsFound: if there are gaps
        """
        self.check_gaps()
        return Filter(lambda image: not self.is_used(image))

    def orphaned(self) -> Filter:
        """Select images taken from a server that no longer exists.

        :raises GapsFound: if there are gaps
        """
        self.check_gaps()
        return Filter(self.is_orphaned)

    def in_use_by(self, server_id: str) -> Filter:
        """Select the images that a server uses, by the server's ID.

        :raises ServerNotFound: if no such server was read
        :raises GapsFound: if Compute does not tell which image it uses
        :raises ImagesError: if it was booted from a volume, and is not stored
            in an image either
        """
        user_id = server_id.lower()
        servers = self._servers.get(user_id)
        if servers is None:
            self.check_gaps()
            raise _errors.ServerNotFound(f'No server has the ID {server_id}')
        if any(server.may_use_any_image for server in servers):
            self.check_gaps()
        elif not any(
            s.image_id or s.kernel_ids or s.may_need_snapshots for s in servers
        ):
            raise _errors.ImagesError(
                f'Server {server_id} has no image: it was booted from a volume'
            )
        return Filter(
            lambda image: any(
                user.id.lower() == user_id for user in self.used_by(image)
            )
        )

    def _taken_from(self, image: Image) -> list[Server]:
        return self._servers.get((image.server_id or '').lower(), [])
