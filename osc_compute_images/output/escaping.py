# SPDX-License-Identifier: Apache-2.0

"""How the cells of images are printed."""

from collections.abc import Callable
from collections.abc import Iterable
import datetime
import re
from typing import Any
from typing import TextIO
from typing import TYPE_CHECKING

from cliff import columns
from osc_lib import utils

from osc_compute_images.text import printable
from osc_compute_images.text import shortened

if TYPE_CHECKING:
    Column = columns.FormattableColumn[Any]
else:
    # NOTE: cliff's class is only generic since 4.9.
    Column = columns.FormattableColumn

#: Maximum characters of a text in a table. Other formats print all of it.
MAX_CELL = 10_000

_SURROGATE = '[\ud800-\udfff]'

#: Characters that are special in double quotes of a POSIX shell.
_SHELL_SPECIAL = r'[\\"$`]'

#: Formatters that escape control characters themselves.
_ESCAPING = ('json', 'jsonl', 'yaml')


class UnprintableText(str, Column):  # type: ignore[misc]
    """Text that is too long or unsafe to print; sorts as a string."""

    def __init__(self, value: str) -> None:
        self._value = value

    def human_readable(self) -> str:
        """Return the text, escaped and truncated."""
        return _escape(self._value)


class SortedAsShown(Column):
    """Sorts by the text for people."""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.human_readable() < other.human_readable()


class PropertiesColumn(SortedAsShown):
    """The properties of an image."""

    def human_readable(self) -> str:
        """Return ``key='value', ...``, sorted by key."""
        return _escape(
            ', '.join(
                f"{_escape(key)}='{_escape(str(value))}'"
                for key, value in sorted(self._value.items())
            )
        )

    def machine_readable(self) -> dict[str, Any]:
        """Return the properties as they are."""
        return dict(self._value)


def human_size(size: int) -> str:
    """Return a size as OpenStackClient's image commands display it."""
    # NOTE: osc-lib fails for more, and a server may send any number.
    return str(utils.format_size(size)) if size < 999 * 10**21 else '>999Z'


class HumanSizeColumn(Column):
    """A human-readable size, as in OpenStackClient's image commands."""

    def human_readable(self) -> str:
        """Return a size such as ``20.4M``; 1,000 bytes are 1K."""
        return human_size(self._value)

    def machine_readable(self) -> str:
        """Return the same: it was requested, for any format."""
        return self.human_readable()


class AgeColumn(Column):
    """An age: seconds for programs, and a text for people."""

    def __init__(self, age: datetime.timedelta, text: str) -> None:
        super().__init__(int(age.total_seconds()))
        self._text = text

    def human_readable(self) -> str:
        """Return the text."""
        return self._text


def text_cell(value: str | None) -> str | None:
    """Return a text that every formatter can print."""
    if value is None or (len(value) <= MAX_CELL and value.isprintable()):
        return value
    # NOTE: no encoding has lone surrogates. Images have none, but the name of
    # a region may.
    return UnprintableText(re.sub(_SURROGATE, '\ufffd', value))


class _ShellText:
    """Text escaped for double quotes of a POSIX shell."""

    def __init__(self, value: object) -> None:
        self._value = str(value)

    def __str__(self) -> str:
        return re.sub(_SHELL_SPECIAL, r'\\\g<0>', self._value)


def _escape(value: str) -> str:
    return shortened(printable(shortened(value, MAX_CELL)), MAX_CELL)


def cell_escaper(
    stdout: TextIO, formatter: str
) -> Callable[[Iterable[Any]], tuple[Any, ...]]:
    """Return a function that escapes the cells of a row for an output.

    * On a terminal, it escapes control characters for every formatter.
    * In a table, it also escapes characters that the encoding lacks.
    * For ``-f shell`` it escapes ``$(...)``, which cliff does not, so that
      ``eval`` would run it.
    """
    for_shell, on_terminal = formatter == 'shell', stdout.isatty()
    lacks_characters = formatter == 'table' and not _can_encode_all(stdout)
    if formatter in _ESCAPING or not (
        for_shell or on_terminal or lacks_characters
    ):
        return tuple

    def escaped(cell: Any) -> Any:
        if on_terminal and isinstance(cell, UnprintableText):
            cell = cell.human_readable()
        is_column = isinstance(cell, columns.FormattableColumn)
        if for_shell and (is_column or isinstance(cell, str)):
            return _ShellText(cell.machine_readable() if is_column else cell)
        if lacks_characters and is_column:
            cell = cell.human_readable()
        if lacks_characters and isinstance(cell, str):
            encoding = stdout.encoding
            return cell.encode(encoding, 'backslashreplace').decode(encoding)
        return cell

    return lambda cells: tuple(map(escaped, cells))


def _can_encode_all(stdout: TextIO) -> bool:
    try:
        # Some error handlers replace characters that the encoding lacks.
        '\U0010ffff'.encode(
            stdout.encoding or 'utf-8', stdout.errors or 'strict'
        )
    except UnicodeEncodeError:
        return False
    return True
