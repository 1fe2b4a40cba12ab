# SPDX-License-Identifier: Apache-2.0

"""Clouds as they are, not as they are listed: what an oracle knows.

Regions with a Nova each, and Image services that they share. Servers may be in
a cell that does not respond, and their records may be malformed.
"""

from testbed import nova
from testbed.fleet import Fleet
from tests.unit.conftest import set_catalog

TASK = 'OS-EXT-STS:task_state'
#: Paths of requests.
IMAGES, SERVERS = '/images/detail', '/servers/detail'
SERVICES = '/os-services'
#: The key of the second record of a server ends with this.
AGAIN = ' again'


def _without(field):
    return lambda server: {k: v for k, v in server.items() if k != field}


#: How servers are listed that cannot be read.
MALFORMED = {
    'null': lambda _server: None,
    'text': lambda _server: 'server',
    'no id': _without('id'),
    'no image': _without('image'),
    'null image': lambda server: {**server, 'image': None},
}
WITHOUT_ID = ('null', 'text', 'no id')


def is_opaque(image):
    """Return whether an image is displayed without its properties."""
    return image.get('opaque', False)


class Told:
    """What a region told the client: no part of the state of a world.

    :ivar listed: whether its images were listed
    :ivar own_project: whether it refused the first list of all projects
    :ivar blind: whether it may have left out servers without a trace, as a
        cell was down for a while
    :ivar failed: whether its list of servers failed, which is a gap
    """

    listed = own_project = blind = failed = False
    _asked = _was_down = False

    def __deepcopy__(self, _memo):
        return self

    def note(self, path, query, code, is_down):
        """Note a request and the status of its response."""
        if path == IMAGES:
            self.listed |= code == 200
        elif path == SERVERS and code != 406:
            self.own_project |= code == 403 and not self._asked
            self._asked = True
            is_refused = code == 403 and 'all_tenants' in query
            self.failed = code != 200 and not is_refused
            if 'marker' not in query:
                self._was_down = self.blind = False
            self._was_down |= is_down
        elif path == SERVICES:
            self.blind |= code != 200 or (self._was_down and not is_down)


class Region(Fleet):
    """A Nova, and what is true of it.

    :param images: of its Image service, which others may share
    :param image_url: the Image service in the catalog, or None
    :ivar cell: keys of the servers in the cell that may be down
    :ivar malformed: how servers are listed that cannot be read, by key
    """

    def __init__(self, name, images, image_url, servers):
        super().__init__(())
        self.name = name
        self.images = images
        self.image_url = image_url
        self.servers = servers
        self.is_up = True
        # NOTE: there is a cell, even if it has no servers.
        self.cell = {''}
        self.malformed = {}
        self.told = Told()
        self.hook = lambda *_request: None

    def answer(self, method, path, query, *rest):
        fault = self.hook(method, self.name, path, query)
        if not self.is_up:
            fault = 503
        answer = nova.fault(fault or 0, 'fault', 'It failed.')
        if not fault:
            answer = super().answer(method, path, query, *rest)
        code = answer.get('status_code', 200)
        self.told.note(path, query, code, bool(self.down))
        return answer

    def displayed(self, image):
        return _without('metadata')(image) if is_opaque(image) else image

    def shown(self, key):
        if key in self.malformed and key not in self.down:
            return MALFORMED[self.malformed[key]](self.servers[key])
        return super().shown(key)

    def sees(self, key):
        """Return whether the user may know of a server."""
        return self.project_of(key) == nova.PROJECT or (
            self.is_admin and not self.told.own_project
        )

    def is_unread(self, key):
        """Return whether it cannot be known what a server uses."""
        return (
            not self.is_up
            or self.told.failed
            or key in self.down
            or key in self.malformed
            or self.servers[key]['status'].upper() == 'UNKNOWN'
        )

    @property
    def hides(self):
        """Whether servers are missing from the list without a trace."""
        fits = self.max_page > len(self.servers)
        lists_services = self.is_admin and not self.told.own_project
        return self.told.blind or bool(
            self.down and (self.is_old or not (fits or lists_services))
        )

    @property
    def is_old(self):
        """Whether it does not tell of the servers of a cell that is down."""
        return self.highest < (2, 69)

    def omits(self, key):
        return self.hides and key in self.cell


class World:
    """All regions, and their images."""

    def __init__(self, regions):
        self.regions = {region.name: region for region in regions}

    def serve(self, mocker, hook):
        """Serve it, with a Keystone.

        :param hook: called before each request, with the method, the name of
            the region, the path and the query; returns the status of a fault
        """
        urls = {name: f'http://nova-{name}/v2.1' for name in self.regions}
        images = {n: r.image_url for n, r in self.regions.items()}
        set_catalog(mocker, urls, {n: url for n, url in images.items() if url})
        for name, region in self.regions.items():
            region.hook = hook
            region.serve(mocker, urls[name])

    def sharing(self, region, listed):
        """Return the regions whose servers have to be read for one of them.

        The catalog says so, or the images that were listed.
        """
        own = self.regions[region]
        seen = own.images if region in listed else {}
        return [
            other
            for other in self.regions.values()
            if None in (own.image_url, other.image_url)
            or other.image_url == own.image_url
            or (seen and other.images is seen and other.name in listed)
        ]

    def connected(self, region, listed):
        """Return the same, those that share images with these, and so on.

        What a server of a selected region uses is kept in all of them.
        """
        found = {region, *listed}
        # Each time adds a region, or nothing any more.
        for _ in self.regions:
            found |= {r.name for n in found for r in self.sharing(n, listed)}
        return [self.regions[name] for name in sorted(found)]


def image_type(image):
    """Return the type of an image as it is displayed."""
    return None if is_opaque(image) else image['metadata'].get('image_type')


def image_server(image):
    return image.get('server', {}).get('id')
