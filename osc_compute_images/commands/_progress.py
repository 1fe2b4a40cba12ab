# SPDX-License-Identifier: Apache-2.0

"""What is shown on a terminal while a command is at work.

It goes to stderr, is gone when the work is done, and is not shown to a pipe,
to a dumb terminal, or with ``--quiet``.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import sys
import threading
from typing import Any
from typing import TextIO
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.text import printable

if TYPE_CHECKING:
    from rich import progress
    from rich.console import Console

    from osc_compute_images.api import Image


#: Seconds of work before a count is shown: less is not worth a flicker.
_DELAY = 0.3

#: Characters of a status that are shown beside a bar.
_LONGEST_STATUS = 1000

#: Likewise of a name.
_LONGEST_NAME = 40


class Progress:
    """Shows how far a command is.

    :param app: the shell, for its options and streams
    """

    def __init__(self, app: Any) -> None:
        self._wanted = app.options.verbose_level > 0

    @contextlib.contextmanager
    def counting(self, images: int) -> Iterator[None]:
        """Show how many images have come, while more are asked for."""
        if not self._wanted or not images or not _is_terminal(sys.stdout):
            yield
            return
        with contextlib.ExitStack() as shown:

            def show() -> None:
                console = self._console()
                if console is not None:
                    text = _('%s images so far ...') % format(images, ',')
                    shown.enter_context(console.status(text))

            timer = threading.Timer(_DELAY, show)
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()

    @contextlib.contextmanager
    def waiting(self) -> 'Iterator[Callable[[Image], object]]':
        """Show a bar; yield what moves it, given the image."""
        console = self._console()
        if console is None:
            yield lambda _image: None
            return
        from rich import progress

        with progress.Progress(
            progress.TextColumn('{task.description}', markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task('', total=100)
            yield lambda image: bar.update(
                task,
                # A server may send any number, and any text.
                completed=min(max(image.progress or 0, 0), 100),
                description=printable(image.status or '')[:_LONGEST_STATUS],
            )

    @contextlib.contextmanager
    def changing(self, images: int) -> 'Iterator[Changes]':
        """Show how many of some images have been changed."""
        console = self._console() if images else None
        if console is None:
            yield Changes(None)
            return
        from rich import progress

        with progress.Progress(
            progress.TextColumn('{task.description}', markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
        ) as bar:
            bar.add_task('', total=images)
            yield Changes(bar)

    def _console(self) -> 'Console | None':
        """Return what stderr is drawn on, if anything is to be."""
        if not self._wanted or not _is_terminal(sys.stderr):
            return None
        # NOTE: imported here, as every "openstack" command loads this
        # module, and only a terminal needs it.
        from rich import console as rich_console

        class Console(rich_console.Console):
            def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
                """Leave the cursor visible.

                Rich hides it while something is shown. Whoever ends or stops
                the process by a signal would be left without a cursor.
                """
                return False

        console = Console(stderr=True)
        if console.is_dumb_terminal or not console.is_terminal:
            return None
        return console


class Changes:
    """Shows how many images have been changed, and how many have not.

    :param bar: what shows it, if it is shown
    """

    def __init__(self, bar: 'progress.Progress | None') -> None:
        self._bar = bar
        self._failed = 0

    def tell(self, image: str) -> None:
        """Show that an image has been dealt with, by its name."""
        if self._bar is not None:
            failed = _('%d failed') % self._failed if self._failed else ''
            name = printable(image)[:_LONGEST_NAME]
            text = ', '.join(filter(None, (failed, name)))
            self._bar.update(
                self._bar.task_ids[0], advance=1, description=text
            )

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Count a failure, and make room for lines that tell of it."""
        self._failed += 1
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


def _is_terminal(stream: TextIO | None) -> bool:
    # NOTE: there is none if the shell has closed it.
    return stream is not None and stream.isatty()
