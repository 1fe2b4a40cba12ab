# SPDX-License-Identifier: Apache-2.0

"""Which images are in use, and by what: a join of images and servers.

List the images that nothing uses::

    usage = api.usage()
    for image in api.list_detail(where=usage.unused()):
        print(image.name)

An image is in use if

* a server was booted from it;
* a shelved server is stored in it. Nova stores such a server as a snapshot
  named ``NAME-shelved``, and does not report its ID. If no snapshot of the
  server has that name, as the server was renamed, all its snapshots count;
* it is the kernel or the ramdisk of another image (their properties
  ``kernel_id`` and ``ramdisk_id``).

``base_image_ref`` names the image that a snapshot is derived from; it does not
count as use.

Compute does not report every use: see :attr:`Usage.unknown`. It never reports
the image that a server in RESCUE runs from, deleted servers that can be
restored, and images that are not listed (hidden images, community images of
other projects).
"""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
from typing import TypeAlias
from typing import TypeVar

from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._servers import Server
from osc_compute_images.api.filters import Filter

__all__ = ['Unknown', 'Usage', 'is_relevant']

_T = TypeVar('_T')

#: What uses an image.
User: TypeAlias = Server | ImageRef

_NEEDS = ('kernel_id', 'ramdisk_id')

#: The suffix that Nova adds to the name of a server for its shelved snapshot.
_SHELVED = '-shelved'


@dataclasses.dataclass(frozen=True)
class Unknown:
    """The unknown uses of images.

    :param other_projects: whether servers of other projects, which are not
        visible, may use visible images
    :param on_volumes: servers booted from a volume; Compute does not report
        the image that the volume was created from
    :param shelved_anywhere: shelved servers without a snapshot of the name
        that Nova gives it
    """

    other_projects: bool
    on_volumes: tuple[Server, ...]
    shelved_anywhere: tuple[Server, ...]


class Usage:
    """Which servers and images use which images; sends no requests.

    :param servers: all visible servers
    :param images: all visible images; iterated once, and only those that are
        needed are held in memory
    :param all_projects: whether the servers are those of all projects
    """

    def __init__(
        self,
        servers: Iterable[Server],
        images: Iterable[Image],
        *,
        all_projects: bool = False,
    ) -> None:
        self._servers = {server.id: server for server in servers}
        self._booted: dict[str, list[Server]] = {}
        for server in self._servers.values():
            if server.image_id is not None:
                _add(self._booted, server.image_id, server)
        self._needed: dict[str, list[ImageRef]] = {}
        self._stored: dict[str, list[Server]] = {}
        anywhere = [*self._find_uses(images)]
        self._unknown = Unknown(
            not all_projects,
            tuple(s for s in self._servers.values() if s.image_id is None),
            tuple(anywhere),
        )

    @property
    def unknown(self) -> Unknown:
        """The unknown uses of images."""
        return self._unknown

    def server_of(self, image: Image) -> Server | None:
        """Return the server that an image was taken from, if it exists."""
        return self._servers.get(image.server_id or '')

    def shelved_in(self, image: Image) -> tuple[Server, ...]:
        """Return the shelved servers that are, or may be, stored in an image.

        Deleting the image of such a server deletes the server.
        """
        return tuple(self._stored.get(image.id.lower(), ()))

    def booted_from(self, image: Image) -> tuple[Server, ...]:
        """Return the servers that were booted from an image."""
        return tuple(self._booted.get(image.id.lower(), ()))

    def needed_by(self, image: Image) -> tuple[ImageRef, ...]:
        """Return the images whose kernel or ramdisk an image is."""
        return tuple(self._needed.get(image.id.lower(), ()))

    def used_by(self, image: Image) -> tuple[User, ...]:
        """Return the servers, then the images that use an image."""
        uses: tuple[User, ...] = (
            *self.booted_from(image),
            *self.shelved_in(image),
            *self.needed_by(image),
        )
        return tuple({user.id: user for user in uses}.values())

    def is_used(self, image: Image) -> bool:
        """Return whether anything is known to use an image."""
        image_id = image.id.lower()
        return (
            image_id in self._booted
            or image_id in self._stored
            or image_id in self._needed
        )

    def is_orphaned(self, image: Image) -> bool:
        """Return whether the server of an image no longer exists.

        A server of another project that is not visible counts as deleted.
        """
        return (
            image.server_id is not None
            and image.server_id not in self._servers
        )

    def unused(self) -> Filter:
        """Select images that nothing is known to use."""
        return Filter(lambda image: not self.is_used(image))

    def orphaned(self) -> Filter:
        """Select images taken from a server that no longer exists."""
        return Filter(self.is_orphaned)

    def in_use_by(self, user_id: str) -> Filter:
        """Select the images that a server uses, by the server's ID."""
        return Filter(
            lambda image: any(u.id == user_id for u in self.used_by(image))
        )

    def _find_uses(self, images: Iterable[Image]) -> Iterator[Server]:
        """Index the uses; yield shelved servers whose image is uncertain."""
        # A volume-backed server is shelved without a snapshot.
        shelved = {
            s.id: s
            for s in self._servers.values()
            if s.is_shelved and s.image_id is not None
        }
        names = {f'{s.name}{_SHELVED}' for s in shelved.values()}
        candidates: dict[str | None, list[ImageRef]] = {}
        for image in images:
            for key in _NEEDS:
                needed = image.metadata.get(key)
                if needed and isinstance(needed, str):
                    _add(self._needed, needed, ImageRef(image.id, image.name))
            # A snapshot has no server if its properties were removed.
            if image.server_id in shelved or (
                image.server_id is None and image.name in names
            ):
                candidates.setdefault(image.server_id, []).append(
                    ImageRef(image.id, image.name)
                )
        for server in shelved.values():
            taken = candidates.get(server.id, [])
            lost = candidates.get(None, [])
            named = [
                snapshot
                for snapshot in (*taken, *lost)
                if snapshot.name == f'{server.name}{_SHELVED}'
            ]
            for snapshot in named or taken:
                _add(self._stored, snapshot.id, server)
            if not named:
                yield server


def is_relevant(image: Image) -> bool:
    """Return whether a :class:`Usage` needs an image.

    A :class:`Usage` without the other images is the same.
    """
    return (
        image.server_id is not None
        or (image.name or '').endswith(_SHELVED)
        or any(image.metadata.get(key) for key in _NEEDS)
    )


def _add(index: dict[str, list[_T]], image_id: str, user: _T) -> None:
    # The case of a reference may differ from that of the image's ID.
    index.setdefault(image_id.lower(), []).append(user)
