# SPDX-License-Identifier: Apache-2.0

"""A canned cloud that answers when it is told to."""

from collections.abc import Iterator
import contextlib
import threading

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

#: Three pages of images, which is more than any buffer on the way holds.
MANY = [canned_cloud.image(number) for number in range(2500)]


class Held:
    """A cloud of many images that holds some of its answers back.

    :param after: how many requests for images are answered before
    :param status: of the images
    :param instead: what is answered in the end; the images if nothing else
    :ivar reached: set when an answer is held back
    :ivar let_go: to be set, so that it is sent
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
        """Run it."""
        with canned_cloud.canned_cloud(self) as server:
            try:
                yield server
            finally:
                self.let_go.set()
