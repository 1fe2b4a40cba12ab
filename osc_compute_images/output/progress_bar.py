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
    """Shows the progress of a command.

    :param app: the shell
    """

    def __init__(self, app: Any) -> None:
        self._wanted = app.options.verbose_level > 0
        self._noted: list[int] = []
        self._count: Status | None = None
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
        if (
            not self._wanted
            or not (images or joins)
            or not _is_terminal(sys.stdout)
        ):
            yield
            return

        def text() -> str:
            count = images or sum(self._noted)
            words = '%s images so far ...' if images else '%s images read ...'
            return words % format(count, ',')

        def show() -> None:
            console = self._console()
            if console is not None:
                with self._lock:
                    self._count = console.status(_Live(text))
                    self._count.start()

        timer = threading.Timer(_DELAY, show)
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

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide the count while something is logged."""
        with self._lock, _stopped(self._count):
            yield

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Callable[[Image], None]]:
        """Show a bar; yield a function that updates it, given the image."""
        with self._bar(100, 'TaskProgressColumn', 'TimeElapsedColumn') as bar:

            def update(image: Image) -> None:
                if bar is not None:
                    # The values of a server are not trusted.
                    percent = min(max(image.progress or 0, 0), 100)
                    text = printable(image.status or '')[:_MAX_STATUS]
                    bar.update(
                        bar.task_ids[0], completed=percent, description=text
                    )

            yield update

    @contextlib.contextmanager
    def changing(self, images: int) -> 'Iterator[Changes]':
        """Show a bar for changes of images."""
        with self._bar(
            images, 'MofNCompleteColumn', 'TimeRemainingColumn'
        ) as bar:
            yield Changes(bar)

    @contextlib.contextmanager
    def _bar(
        self, total: int, *columns: str
    ) -> 'Iterator[progress.Progress | None]':
        """Show a bar, unless there is nothing to show.

        :param columns: names of classes of rich
        """
        console = self._console() if total else None
        if console is None:
            yield None
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
            yield bar

    def _console(self) -> 'Console | None':
        """Return a console on stderr, or None to show no progress."""
        if not self._wanted or not _is_terminal(sys.stderr):
            return None
        # NOTE: imported here, as only a terminal needs it.
        from rich import console as rich_console

        class Console(rich_console.Console):
            def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
                """Leave the cursor visible.

                Rich would hide it, and a signal that ends or stops the
                process would leave it hidden.
                """
                return False

        console = Console(stderr=True)
        if console.is_dumb_terminal or not console.is_terminal:
            return None
        return console


class _Live:
    """A text that is recomputed each time rich draws it."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text

    def __rich__(self) -> str:
        return self._text()


class Changes:
    """Shows the images that were changed, and how many failed.

    :param bar: the bar to update, or None
    """

    def __init__(self, bar: 'progress.Progress | None') -> None:
        self._bar = bar

    def show(self, image: str, *, done: int, failed: int) -> None:
        """Show the name of an image, and how many are done."""
        if self._bar is not None:
            failures = f'{failed} failed' if failed else ''
            name = printable(image)[:_MAX_NAME]
            text = ', '.join(filter(None, (failures, name)))
            self._bar.update(
                self._bar.task_ids[0], completed=done, description=text
            )

    def describe(self, text: str) -> None:
        """Show what is in progress, in any thread."""
        if self._bar is not None:
            text = printable(text)[:_MAX_STATUS]
            self._bar.update(self._bar.task_ids[0], description=text)

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide the bar while something is logged."""
        with _stopped(self._bar):
            yield


@contextlib.contextmanager
def _stopped(shown: 'Status | progress.Progress | None') -> Iterator[None]:
    """Stop what is shown, and start it again."""
    if shown is None:
        yield
        return
    shown.stop()
    try:
        yield
    finally:
        shown.start()


def _is_terminal(stream: TextIO | None) -> bool:
    # NOTE: sys.stderr is None if it was closed.
    return stream is not None and stream.isatty()
