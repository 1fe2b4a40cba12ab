# SPDX-License-Identifier: Apache-2.0

"""A fake Nova, without I/O, and records of a real one.

:meth:`Nova.answer` is all of it. It is served over mocked HTTP
(:class:`Server`, ``fleet.py``) and over sockets (``canned_cloud.py``).
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import datetime
import json
from typing import Any
import urllib.parse

from testbed import nova_filters
from testbed.records import DETAIL as DETAIL
from testbed.records import ENDPOINT as ENDPOINT
from testbed.records import fault as fault
from testbed.records import HOST as HOST
from testbed.records import image as image
from testbed.records import image as record
from testbed.records import image_id as image_id
from testbed.records import images as images
from testbed.records import KEYSTONE as KEYSTONE
from testbed.records import link as link
from testbed.records import NO_ROUTE as NO_ROUTE
from testbed.records import NOT_FOUND as NOT_FOUND
from testbed.records import page as page
from testbed.records import PROJECT as PROJECT
from testbed.records import TOKEN as TOKEN
from testbed.records import unread

Record = dict[str, Any]

#: Statuses of servers that it makes snapshots of.
READY = ('ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED')

_MAX_IMAGES = 1000

#: Keyword arguments of requests-mock: ``status_code``, ``json``, ``headers``.
Answer = dict[str, Any]


class Nova:
    """The images and servers of a region, and their lists.

    :param images: records, in the order of lists
    :param servers: records
    :param admin: whether the marker may be a deleted image
    :ivar endpoint: the URL before ``/images``
    :ivar visibility: visibility of the images that are not private, by ID
    :ivar is_admin: whether the servers of all projects may be listed
    :ivar has_microversions: whether the server knows them
    :ivar highest: the highest microversion
    :ivar filters: whether it filters lists, as Nova does
    :ivar max_page: how many servers a page has at most
    :ivar servers: by ID; another record of a server has another key
    :ivar down: IDs of the servers whose cell does not respond
    :ivar now: returns the time of a new image
    """

    def __init__(
        self,
        images: Iterable[Record],
        servers: Iterable[Record] = (),
        *,
        admin: bool = False,
    ) -> None:
        self.images: Any = list(images)
        self.servers = {server['id']: server for server in servers}
        self.endpoint = ENDPOINT
        self.visibility: dict[str, str] = {}
        self.is_admin = True
        self.has_microversions = True
        self.highest = (2, 104)
        self.filters = True
        self.max_page = 1000
        self.down: set[str] = set()
        self.now: Callable[[], str] = lambda: (
            f'{datetime.datetime.now(datetime.UTC):%FT%TZ}'
        )
        self._admin = admin
        self._deleted: dict[str, int] = {}
        self._edits = 0

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes = b'',
        version: str | None = None,
    ) -> Answer | None:
        """Return the response to a request; None if there is no such path.

        :param path: the path below the endpoint
        :param version: the header ``OpenStack-API-Version``
        """
        minor, headers = 1, {}
        if version and self.has_microversions:
            minor = int(version.rpartition('.')[2])
            if (2, minor) > self.highest:
                return fault(406, 'computeFault', 'Not supported')
            headers = {'OpenStack-API-Version': version}
        words = [urllib.parse.unquote(w) for w in path.split('/')[1:]]
        answer: Answer | None = None
        match words:
            case ['images'] | ['images', 'detail']:
                answer = self._list(query)
            case ['images', image_id, *rest]:
                answer = self._image(method, image_id, rest, body)
            case ['servers', server_id, 'action'] if method == 'POST':
                answer = self._create_image(server_id, json.loads(body))
            case _ if method == 'GET':
                answer = self._read_servers(words, query, minor >= 69)
        if answer is not None:
            answer['headers'] = {**answer.get('headers', {}), **headers}
        return answer

    def displayed(self, image: Record) -> Record:
        return nova_filters.shown(image)

    def ordered(self) -> Sequence[Record]:
        """Return the images in the order of lists."""
        images: list[Record] = self.images
        return images

    def touch(self, image: Record) -> None:
        """Update the time of the last change of an image."""
        self._edits += 1
        time = datetime.datetime(2027, 1, 1)
        time += datetime.timedelta(seconds=self._edits)
        image['updated'] = f'{time:%FT%TZ}'

    def add(self, new: Record) -> None:
        """Add a new image at the start."""
        self.images.insert(0, new)
        self._deleted = {k: v + 1 for k, v in self._deleted.items()}

    def delete(self, image_id: str) -> None:
        position = [i.get('id') for i in self.images].index(image_id)
        del self.images[position]
        for earlier, where in self._deleted.items():
            if where > position:
                self._deleted[earlier] = where - 1
        self._deleted[image_id] = position

    def _list(self, query: Mapping[str, str]) -> Answer:
        if not self.filters:
            query = {k: query[k] for k in ('limit', 'marker') if k in query}
        if (problem := nova_filters.problem(query)) is not None:
            return _refused(problem)
        listed = self.ordered()
        marker = query.get('marker')
        start: int | None = 0
        if query.keys() - {'limit', 'marker'}:
            listed = [
                i
                for i in listed
                if i.get('id') == marker or self._matches(i, query)
            ]
        if marker is not None:
            start = self._after(marker, listed)
        if start is None:
            return self._refusal(marker)
        limit = int(query.get('limit', _MAX_IMAGES))
        return {'json': self._page(listed, start, limit)}

    def _matches(self, image: Record, query: Mapping[str, str]) -> bool:
        visibility = self.visibility.get(image.get('id', ''), 'private')
        query = dict(query)
        return query.pop(
            'property-visibility', visibility
        ) == visibility and nova_filters.keeps(image, query)

    def _after(self, marker: str, listed: Sequence[Record]) -> int | None:
        """Return the position after a marker, or None if it is rejected."""
        for position, each in enumerate(listed, 1):
            if each.get('id') == marker:
                return position
        return self._deleted.get(marker) if self._admin else None

    def _refusal(self, marker: str | None) -> Answer:
        return _refused(f'No image found with ID {marker}')

    def _page(
        self, listed: Sequence[Record], start: int, limit: int
    ) -> dict[str, Any]:
        found = listed[start : start + min(limit, _MAX_IMAGES)]
        found = [*map(self.displayed, found)]
        # NOTE: Nova omits the link above its own limit.
        if not found or len(found) < limit:
            return page(found)
        url = f'{self.endpoint}/images/detail'
        return page(found, link(found[-1]['id'], limit, url))

    def _image(
        self, method: str, image_id: str, rest: Sequence[str], body: bytes
    ) -> Answer | None:
        image = next(
            (i for i in self.ordered() if i.get('id') == image_id), None
        )
        if image is None:
            return fault(404, 'itemNotFound', 'Image not found.')
        metadata = image['metadata']
        match method, rest:
            case 'GET', []:
                return {'json': {'image': self.displayed(image)}}
            case 'DELETE', [] if metadata.get('protected_here'):
                text = 'You are not allowed to delete the image.'
                return fault(403, 'forbidden', text)
            case 'DELETE', []:
                self.delete(image_id)
                return {'status_code': 204}
            case 'PUT' | 'POST', ['metadata']:
                old = metadata if method == 'POST' else {}
                image['metadata'] = old | json.loads(body)['metadata']
            case 'DELETE', ['metadata', key] if key not in metadata:
                return fault(404, 'itemNotFound', 'Invalid metadata key')
            case 'DELETE', ['metadata', key]:
                del metadata[key]
                self.touch(image)
                return {'status_code': 204}
            case 'GET', ['metadata']:
                return {'json': {'metadata': metadata}}
            case _:
                return None
        self.touch(image)
        return {'json': {'metadata': image['metadata']}}

    def _create_image(self, server_id: str, body: Record) -> Answer:
        """Create a snapshot: SAVING, as in Nova, or ACTIVE of a volume."""
        if server_id not in self.servers:
            return fault(404, 'itemNotFound', 'No such server.')
        server = self.servers[server_id]
        if server['OS-EXT-STS:task_state'] or server['status'] not in READY:
            return fault(409, 'conflictingRequest', 'It has a task.')
        wanted = body['createImage']
        metadata = {'image_type': 'snapshot', 'instance_uuid': server_id}
        if server['image'] == '':
            # NOTE: Nova records neither for a server on a volume.
            metadata = {'block_device_mapping': '[]'}
        metadata |= wanted['metadata']
        new = record(
            len(self.images) + 1000,
            name=wanted['name'],
            metadata=metadata,
            status='SAVING' if server['image'] else 'ACTIVE',
            created=self.now(),
        )
        if 'instance_uuid' in metadata:
            new['server'] = {'id': metadata['instance_uuid'], 'links': []}
        self.add(new)
        return {'status_code': 202, 'json': {'image_id': new['id']}}

    def _read_servers(
        self, words: Sequence[str], query: Mapping[str, str], shows_down: bool
    ) -> Answer | None:
        match words:
            case ['os-services'] if not self.is_admin:
                return fault(403, 'forbidden', 'No.')
            case ['os-services']:
                status = 'UNKNOWN' if self.down else 'enabled'
                service = {'host': 'cell1-host', 'status': status}
                return {'json': {'services': [service]}}
            case ['servers', 'detail'] | ['servers']:
                if 'all_tenants' in query and not self.is_admin:
                    return fault(403, 'forbidden', 'No.')
                return self._servers(query, shows_down)
            case ['servers', server_id] if (
                server_id not in self.servers
                or not (self.is_admin or self.project_of(server_id) == PROJECT)
            ):
                text = f'Instance {server_id} could not be found.'
                return fault(404, 'itemNotFound', text)
            case ['servers', server_id] if (
                shows_down or server_id not in self.down
            ):
                return {'json': {'server': self.shown(server_id)}}
            case ['servers', _]:
                return fault(500, 'computeFault', 'The cell is down.')
        return None

    def project_of(self, key: str) -> str:
        known = self.servers[key]
        project: str = PROJECT
        if isinstance(known, dict):
            project = known.get('tenant_id', PROJECT)
        return project

    def shown(self, key: str) -> Any:
        if key in self.down:
            return unread(key, self.project_of(key))
        return self.servers[key]

    def _servers(self, query: Mapping[str, str], shows_down: bool) -> Answer:
        """Return a page; parameters of paging hide the cells that are down."""
        seen = [
            key
            for key in self.servers
            if 'all_tenants' in query or self.project_of(key) == PROJECT
        ]
        ids = [key for key in seen if key not in self.down]
        marker = query.get('marker')
        if marker and marker not in ids:
            return _refused(f'marker [{marker}] not found')
        start = ids.index(marker) + 1 if marker else 0
        limit = min(int(query.get('limit', self.max_page)), self.max_page)
        found = [*map(self.shown, ids[start : start + limit])]
        following = None
        if len(found) == limit:
            url = f'{self.endpoint}/servers/detail'
            following = link(ids[start + limit - 1], limit, url)
        if shows_down and not query.keys() & {'limit', 'marker'}:
            hidden = [self.shown(key) for key in seen if key in self.down]
            found += hidden[: self.max_page - len(found)]
        return {'json': page(found, following, 'servers')}


def _refused(message: str) -> Answer:
    return fault(400, 'badRequest', f'HTTP 400 Bad Request: {message}')


def query_of(url: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(url)
    return dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))


def mocked(
    endpoint: str, answer: Callable[..., Answer | None]
) -> Callable[[Any, Any], str]:
    """Return a callback of requests-mock for ``text=``."""

    def respond(request: Any, context: Any) -> str:
        made = answer(
            request.method,
            request.url.removeprefix(endpoint).partition('?')[0],
            query_of(request.url),
            (request.text or '').encode(),
            request.headers.get('OpenStack-API-Version'),
        )
        made = made or fault(404, 'itemNotFound', 'No such path.')
        context.status_code = made.get('status_code', 200)
        context.headers.update(made.get('headers', {}))
        return json.dumps(made['json']) if 'json' in made else ''

    return respond


class Server(Nova):
    """Lists images without any filters: a callback of requests-mock."""

    def __init__(self, listed: Iterable[Record], *, admin: bool = False):
        super().__init__(listed, admin=admin)
        self.filters = False

    def __call__(self, request: Any, context: Any) -> Any:
        answer = self.answer('GET', '/images/detail', query_of(request.url))
        assert answer is not None
        context.status_code = answer.get('status_code', 200)
        return answer['json']
