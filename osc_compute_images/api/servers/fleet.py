# SPDX-License-Identifier: Apache-2.0

"""The servers that may use the images of several regions.

Regions may share an Image service. Each of them lists the same images, and
only its own servers. So an image may only be called unused if the servers of
all of these regions were read::

    fleet = Fleet(apis.values())
    fleet.refresh()
    for api in apis.values():
        servers = fleet.servers(api)

Regions that share the Image service, as the catalog shows, are read even if
they were not selected. If the catalog does not tell, they are read, too. A
region that cannot be read is a gap.

What cannot be seen: another cloud, with a catalog of its own, that uses the
same Image service.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import functools
import math
import time
from typing import TYPE_CHECKING

from osc_compute_images.api._regions import RegionResult
from osc_compute_images.api._regions import with_keys
from osc_compute_images.api.changes._links import is_named_as_stored
from osc_compute_images.api.changes._links import is_of_another_project
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers._member import Member

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

__all__ = ['Fleet']

#: How long a list of servers is used: seconds, or times as long as it took.
_USE_TIME = 1.0
_USE_FACTOR = 4


class Fleet:
    """The servers of several regions, and of those that share their images.

    :param apis: the images API of each selected region
    :param all_projects: fail rather than read the servers of the own project;
        once all projects have been read, that is so in any case
    :ivar is_just_read: whether nothing was deleted since :meth:`servers_of`
    """

    def __init__(
        self, apis: 'Iterable[ImagesAPI]', *, all_projects: bool = False
    ) -> None:
        self._apis = list(apis)
        self._all_projects = all_projects
        self._results: dict[Member, RegionResult[Member, ServerList]] = {}
        self._merged: dict[ImagesAPI, ServerList] = {}
        self._valid_until = -math.inf
        self.is_just_read = False

    @functools.cached_property
    def _members(self) -> 'dict[ImagesAPI, Member]':
        """The selected regions, and those that share their images."""
        members = {api: Member(api) for api in self._apis}
        known = {(m.login, m.region) for m in members.values()}
        for member in [*members.values()]:
            for adapter in member.others():
                key = member.login, adapter.region_name or ''
                if key not in known:
                    known.add(key)
                    other = type(member.api)(adapter)
                    members[other] = Member(other)
        return members

    def note_images(self, api: 'ImagesAPI', ids: Collection[str]) -> None:
        """Note the images of a region: regions that list the same share them.

        The catalog may show another URL for each region.
        """
        self._members[api].image_ids = frozenset(ids)

    def refresh(self) -> None:
        """Read the servers of all regions, unless they are recent.

        They are read again if they are older than a second, and older than
        five times what reading them took.
        """
        if time.monotonic() < self._valid_until:
            return
        members = {member: member.api for member in self._members.values()}
        self._merged.clear()
        began = time.monotonic()
        for result in with_keys(
            members,
            lambda member, api: api.servers(
                all_projects=self._all_projects or member.list.all_projects
            ),
        ):
            member = result.region
            self._results[member] = result
            if result.error is None:
                member.list = result.value
        ended = time.monotonic()
        self._valid_until = ended + max(
            _USE_TIME, _USE_FACTOR * (ended - began)
        )

    def servers(self, api: 'ImagesAPI') -> ServerList:
        """Return the servers that may use the images of a region.

        They are those of all regions that were read.

        :raises ImagesError: if those of the region itself could not be read
        """
        if api in self._merged:
            return self._merged[api]
        self._results[self._members[api]].unwrap()
        sharing = self._sharing(api)
        read: list[ServerList] = []
        missing: list[str] = []
        elsewhere: list[Server] = []
        for member, result in self._results.items():
            if member not in sharing:
                # NOTE: whichever image it uses, it is one of another service.
                elsewhere += (
                    dataclasses.replace(server, may_use_any_image=False)
                    for server in member.list.servers
                )
            elif result.error is not None:
                name = member.api.adapter.region_name or 'without a name'
                missing.append(
                    f'region {name} shares the Image service, and its '
                    f'servers cannot be read: {result.error}'
                )
            else:
                read.append(member.list)
                missing += member.missing + member.list.missing
        self._merged[api] = ServerList(
            (*(s for listed in read for s in listed.servers), *elsewhere),
            all(listed.all_projects for listed in read),
            tuple(missing),
            all(listed.shows_down_cells for listed in read),
        )
        return self._merged[api]

    def server(self, api: 'ImagesAPI', server_id: str) -> Iterator[Server]:
        """Yield what each region that shares the images says of a server.

        Unlike a list, this tells a server that does not exist from one whose
        cell does not respond.

        :raises ImagesError: if a region cannot be read
        """
        sharing = self._sharing(api)
        # NOTE: anyone may write the ID of a server, in capitals, too.
        ids = {server_id: None, server_id.lower(): None}
        known = [
            m for m in sharing if any(s.id in ids for s in m.list.servers)
        ]
        for member in known or sharing:
            for each in ids:
                found = member.api.server(each)
                if found is not None:
                    yield found

    def servers_of(
        self, api: 'ImagesAPI', images: Iterable[Image]
    ) -> ServerList:
        """Return the servers that a few images were taken from.

        It sends a request for each of them: lists may lack the servers of a
        cell that does not respond. The lists are only read if an image may be
        that of a server which it does not name, or which is not visible.

        :raises ImagesError: if one cannot be read
        """
        images = [*images]
        listed = ServerList((), missing=self._members[api].missing)
        if any(
            is_named_as_stored(i) or is_of_another_project(i) for i in images
        ):
            self.refresh()
            listed = self.servers(api)
        found: list[Server] = []
        for server_id in dict.fromkeys(i.server_id for i in images):
            if server_id is not None:
                found += self.server(api, server_id)
        self.is_just_read = True
        return dataclasses.replace(listed, servers=(*listed.servers, *found))

    def _sharing(self, api: 'ImagesAPI') -> list[Member]:
        own, every = self._members[api], self._members.values()
        # NOTE: regions that list the same images may be shown at other URLs.
        same = [m for m in every if m.lists_same_images(own)]
        return [m for m in every if any(s.shares_images(m) for s in same)]
