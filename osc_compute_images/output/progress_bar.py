# SPDX-License-Identifier: Apache-2.0

"""Progress on a terminal.

It is written to stderr and erased at the end. There is none on a pipe, on a
dumb terminal, or with ``--quiet``.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import sys
import threading
from typing import Any
from typing import TextIO
from typing import TYPE_CHECKING

from osc_compute_images.api import Image
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from rich import progress
    from rich.console import Console
    from rich.status import Status

#: Seconds before a count is shown, to avoid flicker.
_DELAY = 0.3

#: Maximum characters of a status, and of a name, beside a bar.
_MAX_STATUS = 1000
_MAX_NAME = 40


class Progress:
    """Shows how many images a command has read, or a bar."""

    def __init__(self, app: Any) -> None:
        self._wanted = app.options.verbose_level > 0
        self._noted: list[int] = []
        self._received = 0
        self._count: Status | None = None
        self._bar: progress.Progress | None = None
        self._lock = threading.Lock()

    def note(self, images: int) -> None:
        """Count images that are read for their usage, in any thread."""
        self._noted.append(images)

    @contextlib.contextmanager
    def counting(
        self, images: int = 0, *, joins: bool = False
    ) -> Iterator[None]:
        """Show how many images were received, during a request for more.

        :param joins: whether all images are read before the first is
            received: until then, show how many have been read
        """
        if not (
            self._wanted and (images or joins) and _is_terminal(sys.stdout)
        ):
            yield
            return
        self._received = images
        timer = threading.Timer(_DELAY, self._show_count)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            if self._count is not None:
                self._count.stop()
                self._count = None

    def _show_count(self) -> None:
        console = self._console()
        if console is not None:
            with self._lock:
                self._count = console.status(self)
                self._count.start()

    def __rich__(self) -> str:
        """Return the count, each time that rich draws it."""
        if self._received:
            return f'{self._received:,} images so far ...'
        return f'{sum(self._noted):,} images read ...'

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide what is shown while something is logged."""
        with self._lock:
            shown = self._bar if self._count is None else self._count
            if shown is not None:
                shown.stop()
            try:
                yield
            finally:
                if shown is not None:
                    shown.start()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Callable[[Image], None]]:
        """Show a bar; yield a function that updates it, given the image."""

        def update(image: Image) -> None:
            # The values of a server are not trusted.
            percent = min(max(image.progress or 0, 0), 100)
            self.describe(image.status or '', percent)

        with self._showing(100, 'TaskProgressColumn', 'TimeElapsedColumn'):
            yield update

    def changing(
        self, images: int
    ) -> 'contextlib.AbstractContextManager[None]':
        """Show a bar for changes of images."""
        return self._showing(
            images, 'MofNCompleteColumn', 'TimeRemainingColumn'
        )

    def show(self, image: str, *, done: int, failed: int) -> None:
        """Show the name of an image, and how many are done, and failed."""
        failures = f'{failed} failed' if failed else ''
        name = printable(image)[:_MAX_NAME]
        self.describe(', '.join(filter(None, (failures, name))), done)

    def describe(self, text: str, done: int | None = None) -> None:
        """Show what is in progress, in any thread; None: as much as before."""
        bar = self._bar
        if bar is not None:
            bar.update(
                bar.task_ids[0],
                completed=done,
                description=printable(text)[:_MAX_STATUS],
            )

    @contextlib.contextmanager
    def _showing(self, total: int, *columns: str) -> Iterator[None]:
        """Show a bar with columns of rich, unless there is nothing to show."""
        console = self._console() if total else None
        if console is None:
            yield
            return
        # NOTE: imported here, as only a terminal needs it.
        from rich import progress

        with progress.Progress(
            progress.TextColumn('{task.description}', markup=False),
            progress.BarColumn(),
            *(getattr(progress, name)() for name in columns),
            console=console,
            transient=True,
        ) as bar:
            bar.add_task('', total=total)
            self._bar = bar
            try:
                yield
            finally:
                self._bar = None

    def _console(self) -> 'Console | None':
        """Return a console on stderr, or None to show no progress."""
        if not self._wanted or not _is_terminal(sys.stderr):
            return None
        # NOTE: imported here, as only a terminal needs it.
        from rich import console as rich_console

        console = rich_console.Console(stderr=True)
        # A signal that ends or stops the process would leave it hidden.
        vars(console)['show_cursor'] = lambda _show=True: False
        if console.is_dumb_terminal or not console.is_terminal:
            return None
        return console


def _is_terminal(stream: TextIO | None) -> bool:
    # NOTE: sys.stderr is None if it was closed.
    return stream is not None and stream.isatty()
