# SPDX-License-Identifier: Apache-2.0

"""Protect images in use from deletion.

For uses that are not known see :attr:`.Usage.gaps` and :attr:`.Usage.unknown`.
"""

from collections.abc import Collection

from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.changes.usage import User
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import ServerList

__all__ = ['Protection']


class Protection:
    """Returns why an image must be kept. It does no I/O.

    :param usage: the images that are known to be in use
    :param include_used: do not protect images that servers were booted from,
        nor those that other images need. Images that servers are, or may be,
        stored in remain protected
    """

    def __init__(self, usage: Usage, *, include_used: bool = False) -> None:
        self.usage = usage
        self._include_used = include_used

    def with_servers(self, servers: ServerList) -> 'Protection':
        """Return the protection for another list of servers."""
        usage = self.usage.with_servers(servers)
        return Protection(usage, include_used=self._include_used)

    def reason(self, image: Image) -> str | None:
        """Return why an image must be kept, or None."""
        usage = self.usage
        if stored := usage.stored_in(image):
            return (
                f'{_names("server", stored)}, which is {stored[0].state}, '
                f'may be stored in it'
            )
        if usage.is_server_unread(image):
            return 'its server may be one that could not be read'
        if self._include_used:
            return None
        if booted := usage.booted_from(image):
            were = 'was' if len(booted) == 1 else 'were'
            return f'{_names("server", booted)} {were} booted from it'
        if needed := usage.needed_by(image):
            need = 'needs' if len(needed) == 1 else 'need'
            return f'{_names("image", needed)} {need} it'
        return None


def _names(kind: str, users: Collection[User]) -> str:
    distinct = {user.id: user.name or user.id for user in users}
    first, *others = distinct.values()
    if not others:
        return f'{kind} {first}'
    return f'{kind}s {first} and {len(others)} more'
