# SPDX-License-Identifier: Apache-2.0

"""A canned cloud that holds back responses."""

from collections.abc import Iterator
import contextlib
import threading

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

#: Three pages of images: more than any buffer holds.
MANY = [canned_cloud.image(number) for number in range(2500)]


class Held:
    """A cloud with many images that holds back some responses.

    :param after: how many requests for images get a response before
    :param status: the status of the images
    :param instead: the response that is held back; by default the images
    :ivar reached: set when a response is held back
    :ivar let_go: set this to send it
    """

    def __init__(
        self,
        after: int,
        status: str = 'ACTIVE',
        instead: Response | None = None,
    ) -> None:
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self._left = after
        self._instead = instead
        self._nova = canned_cloud.Nova(
            [{**image, 'status': status} for image in MANY]
        )

    def __call__(self, request: Request) -> Response | None:
        if '/images' not in request.path:
            return None
        if self._left:
            self._left -= 1
            return self._nova(request)
        self.reached.set()
        self.let_go.wait(120)
        return self._instead or self._nova(request)

    @contextlib.contextmanager
    def cloud(self) -> Iterator[canned_cloud.Server]:
        """Run the cloud."""
        with canned_cloud.canned_cloud(self) as server:
            try:
                yield server
            finally:
                self.let_go.set()
