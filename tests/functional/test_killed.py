# SPDX-License-Identifier: Apache-2.0

"""A process that is killed between two requests, and the next one.

The cloud is canned, so that it can keep a process waiting where it is to be
killed, whether it has done what was asked for or not.
"""

from collections.abc import Iterator
import contextlib
import signal
import subprocess
import threading

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from tests.functional.conftest import executable
from tests.functional.conftest import Shell
from tests.functional.terminal import PATIENCE

IMAGES = [canned_cloud.image(number) for number in range(4)]
IDS = [image['id'] for image in IMAGES]
#: Without what is unknown of the use of images.
DELETE = ('-q', 'compute', 'image', 'delete', '--all', '--auto-approve')
JSON = ('-f', 'json')


class Cloud:
    """A cloud that does not answer its second deletion.

    :param does_it: whether it deletes the image all the same
    :ivar reached: set when it has come to that
    :ivar let_go: to be set, so that the connection is closed
    """

    def __init__(self, *, does_it: bool) -> None:
        self.nova = canned_cloud.Nova([*IMAGES])
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self._does_it = does_it
        self._deletions = 0

    def __call__(self, request: Request) -> Response | None:
        if request.method == 'DELETE':
            self._deletions += 1
            if self._deletions == 2:
                if self._does_it:
                    self.nova(request)
                self.reached.set()
                self.let_go.wait(2 * PATIENCE)
                return Response(send=canned_cloud.reset)
        return self.nova(request)

    @contextlib.contextmanager
    def run(self) -> Iterator[canned_cloud.Server]:
        """Run it."""
        with canned_cloud.canned_cloud(self) as server:
            try:
                yield server
            finally:
                self.let_go.set()


@pytest.mark.parametrize('does_it', [False, True])
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_same_command_continues_after_kill(interruptible, number, does_it):
    cloud = Cloud(does_it=does_it)
    with cloud.run() as server:
        shell = Shell(canned_cloud.environment(server))
        with subprocess.Popen(
            [executable(), *DELETE],
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert cloud.reached.wait(PATIENCE)
            process.send_signal(number)
            _out, err = process.communicate(timeout=PATIENCE)
        left = IDS[2:] if does_it else IDS[1:]
        assert [image['id'] for image in cloud.nova.images] == left
        if number == signal.SIGKILL:
            assert (process.returncode, err) == (-signal.SIGKILL, b'')
        else:
            assert process.returncode == 130
            assert err.decode().splitlines()[-1] == (
                'Stopped after 1 of 4 images; run the same command again to '
                'continue'
            )
        rows = shell(*DELETE, *JSON).json()
        assert [(row['ID'], row['Result']) for row in rows] == [
            (image_id, 'done') for image_id in left
        ]
        assert not cloud.nova.images
        # Each was asked for as often as it took, and no other.
        asked = [r.path for r in server.requests if r.method == 'DELETE']
    again = [] if does_it else [IDS[1]]
    assert sorted(p.rpartition('/')[2] for p in asked) == sorted(IDS + again)
