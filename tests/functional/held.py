# SPDX-License-Identifier: Apache-2.0

"""A canned cloud that holds back responses, and a shell of it."""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import threading
from typing import Any

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from tests.functional.shell import PATIENCE
from tests.functional.shell import Shell

#: Three pages of images: more than any buffer holds.
MANY = [canned_cloud.image(number) for number in range(2500)]


def shell_of(
    server: canned_cloud.Server,
    program: str = 'compute-image',
    **environment: str,
) -> Shell:
    """Return a shell of a canned cloud, with Python's own buffering.

    By default it is that of the program that starts faster.
    """
    more = {'PYTHONUNBUFFERED': '', **environment}
    return Shell(canned_cloud.environment(server) | more, program=program)


class Held:
    """A cloud that holds back one response.

    :param after: how many requests for images get a response before
    :param images: the images
    :param method: of the requests that count
    :param instead: the response that is held back; by default that of Nova
    :ivar reached: set when the response is held back
    :ivar let_go: set this to send it
    """

    def __init__(
        self,
        after: int,
        images: Iterable[dict[str, Any]] = MANY,
        method: str = 'GET',
        instead: Response | None = None,
    ) -> None:
        self.nova = canned_cloud.Nova(images)
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self._left = after
        self._method = method
        self._instead = instead

    def __call__(self, request: Request) -> Response | None:
        if '/images' in request.path and request.method == self._method:
            self._left -= 1
            if self._left == -1:
                return self._hold(request)
        return self.nova(request)

    def _hold(self, request: Request) -> Response | None:
        self.reached.set()
        if not self.let_go.wait(PATIENCE):
            return canned_cloud.fault(500, 'error', 'The test does not go on')
        return self._instead or self.nova(request)

    @contextlib.contextmanager
    def cloud(self) -> Iterator[canned_cloud.Server]:
        """Run the cloud."""
        with canned_cloud.canned_cloud(self) as server:
            try:
                yield server
            finally:
                self.let_go.set()
