# SPDX-License-Identifier: Apache-2.0

"""Which images must not be deleted, and why.

It is made from servers and images without any request, and is a part of each
plan that deletes::

    images = [*api.list_detail()]
    protection = Protection(api.servers(), images)
    print(protection.reason(images[0]))

What is protected is what :class:`~osc_compute_images.api.usage.Usage` knows
to be in use. What it cannot know, it cannot protect: see
:attr:`Usage.unknown`.
"""

from collections.abc import Collection
from collections.abc import Iterable

from osc_compute_images.api import usage
from osc_compute_images.api._image import Image
from osc_compute_images.api._servers import ServerList

__all__ = ['Protection']


class Protection:
    """Tells why an image must stay. Pure: it asks nobody anything.

    :param servers: all servers that can be seen
    :param images: all images that can be seen; they are read once, and only
        the few that matter are kept
    :param include_used: do not protect images that servers were booted from,
        nor kernels and ramdisks of other images. Images that shelved servers
        live in stay protected
    :param named: the IDs of images that the user has named by ID: they are
        not protected, and are deleted whatever has become of them since
    :ivar named: the same
    :ivar usage: what uses which image
    """

    def __init__(
        self,
        servers: ServerList,
        images: Iterable[Image],
        *,
        include_used: bool = False,
        named: Collection[str] = (),
    ) -> None:
        self._images = tuple(filter(usage.tells_of_use, images))
        self._include_used = include_used
        self.named = frozenset(named)
        self.usage = usage.Usage(
            servers.servers, self._images, all_projects=servers.all_projects
        )

    def with_servers(self, servers: ServerList) -> 'Protection':
        """Return the same for the servers as they are by now."""
        return Protection(
            servers,
            self._images,
            include_used=self._include_used,
            named=self.named,
        )

    def reason(self, image: Image) -> str | None:
        """Return why an image must stay; None if nothing is known."""
        if image.id in self.named:
            return None
        shelved = self.usage.shelved_in(image)
        if shelved:
            return f'shelved server {_names(shelved)} may live in it'
        if self._include_used:
            return None
        booted = self.usage.booted_from(image)
        if booted:
            return f'server {_names(booted)} was booted from it'
        needed = self.usage.needed_by(image)
        if needed:
            return f'it is the kernel or ramdisk of image {_names(needed)}'
        return None


def _names(users: 'Collection[usage.User]') -> str:
    first, *others = (user.name or user.id for user in users)
    return f'{first} and {len(others)} more' if others else first
