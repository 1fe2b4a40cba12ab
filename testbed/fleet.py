# SPDX-License-Identifier: Apache-2.0

"""A fake Nova whose images can be changed, over mocked HTTP."""

from collections.abc import Callable
from collections.abc import Iterable
import re
from typing import Any
from typing import Self

import requests_mock

from testbed import nova
from testbed.records import server as server
from testbed.records import snapshot as snapshot

#: Called with the method and path of a request.
Event = Callable[[str, str], None]


class Fleet(nova.Nova):
    """Images by ID and servers, and the requests about them.

    Lists have the newest image first.

    :ivar before: called before each request takes effect
    :ivar after: called after each request took effect
    :ivar requests: the requests, such as ``GET /images/detail``
    """

    def __init__(
        self,
        images: Iterable[nova.Record],
        servers: Iterable[nova.Record] | None = None,
    ) -> None:
        super().__init__((), servers or ())
        self.images = {image['id']: image for image in images}
        self.before: Event = lambda _method, _path: None
        self.after: Event = lambda _method, _path: None
        self.requests: list[str] = []

    def serve(
        self, mocker: requests_mock.Mocker, endpoint: str = nova.ENDPOINT
    ) -> Self:
        self.endpoint = endpoint
        mocker.register_uri(
            requests_mock.ANY,
            re.compile(re.escape(endpoint) + '/(images|servers|os-services)'),
            text=nova.mocked(endpoint, self.answer),
        )
        return self

    @property
    def writes(self) -> list[str]:
        """The requests that are not GET."""
        return [r for r in self.requests if not r.startswith('GET ')]

    def answer(
        self, method: str, path: str, *args: Any, **options: Any
    ) -> nova.Answer:
        """Return the response to a request, which must be known."""
        self.requests.append(f'{method} {path}')
        self.before(method, path)
        answer = super().answer(method, path, *args, **options)
        self.after(method, path)
        if answer is None:
            raise AssertionError(f'{method} {path}')
        return answer

    def ordered(self) -> list[nova.Record]:
        """Return the images, the newest first."""
        images: list[nova.Record] = [*self.images.values()]
        return sorted(images, key=lambda i: str(i['created']), reverse=True)

    def touch(self, image: Any) -> None:
        """Update the time of the last change of an image, or of its ID."""
        super().touch(self.images[image] if isinstance(image, str) else image)

    def add(self, new: nova.Record) -> None:
        self.images[new['id']] = new

    def delete(self, image_id: str) -> None:
        del self.images[image_id]
