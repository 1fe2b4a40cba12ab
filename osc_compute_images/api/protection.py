# SPDX-License-Identifier: Apache-2.0

"""Protect images in use from deletion.

A protection is made from servers and images, without any request, for the
plan of a deletion::

    images = [*api.list_detail()]
    protection = Protection(api.servers(), images)
    print(protection.reason(images[0]))

It protects images that :class:`~osc_compute_images.api.usage.Usage` knows to
be in use. For other uses see :attr:`Usage.unknown`.
"""

from collections.abc import Collection
from collections.abc import Iterable

from osc_compute_images.api import usage
from osc_compute_images.api._image import Image
from osc_compute_images.api._servers import ServerList

__all__ = ['Protection']


class Protection:
    """Returns why an image must be kept. It does no I/O.

    :param servers: all visible servers
    :param images: all visible images; iterated once, and only those that are
        needed are held in memory
    :param include_used: do not protect images that servers were booted from,
        nor kernels and ramdisks of other images. Images that shelved servers
        are stored in remain protected
    :param named: IDs of images that the user has named by ID: they are not
        protected, and are deleted even if they have changed
    :ivar named: the same
    :ivar usage: the use of images
    """

    def __init__(
        self,
        servers: ServerList,
        images: Iterable[Image],
        *,
        include_used: bool = False,
        named: Collection[str] = (),
    ) -> None:
        self._images = tuple(filter(usage.is_relevant, images))
        self._include_used = include_used
        self.named = frozenset(named)
        self.usage = usage.Usage(
            servers.servers, self._images, all_projects=servers.all_projects
        )

    def with_servers(self, servers: ServerList) -> 'Protection':
        """Return the protection for another list of servers."""
        return Protection(
            servers,
            self._images,
            include_used=self._include_used,
            named=self.named,
        )

    def reason(self, image: Image) -> str | None:
        """Return why an image must be kept, or None."""
        if image.id in self.named:
            return None
        shelved = self.usage.shelved_in(image)
        if shelved:
            return f'shelved {_names("server", shelved)} may be stored in it'
        if self._include_used:
            return None
        booted = self.usage.booted_from(image)
        if booted:
            were = 'was' if len(booted) == 1 else 'were'
            return f'{_names("server", booted)} {were} booted from it'
        needed = self.usage.needed_by(image)
        if needed:
            return f'it is the kernel or ramdisk of {_names("image", needed)}'
        return None


def _names(kind: str, users: 'Collection[usage.User]') -> str:
    first, *others = (user.name or user.id for user in users)
    if not others:
        return f'{kind} {first}'
    return f'{kind}s {first} and {len(others)} more'
