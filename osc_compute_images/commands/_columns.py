# SPDX-License-Identifier: Apache-2.0

"""The columns that images are shown in."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import functools
import re
from typing import Any
from typing import NamedTuple
from typing import TextIO
from typing import TYPE_CHECKING

from cliff import columns

from osc_compute_images.frozen import thaw
from osc_compute_images.text import printable
from osc_compute_images.text import property_text
from osc_compute_images.text import shortened

if TYPE_CHECKING:
    from osc_compute_images.api import Image

    _TextColumn = columns.FormattableColumn[str]
    _DictColumn = columns.FormattableColumn[Mapping[str, Any]]
    _SizeColumn = columns.FormattableColumn[Any]
else:
    # NOTE: cliff's class is generic from 4.9 on only.
    _TextColumn = _DictColumn = _SizeColumn = columns.FormattableColumn

#: Characters of a text in a table, which is as wide as its longest one. Other
#: formats have all of it.
MAX_CELL = 10_000

_SURROGATE = re.compile('[\ud800-\udfff]')

#: What has a meaning for a POSIX shell between double quotes.
_SPECIAL = re.compile(r'[\\"$`]')

#: Formatters that write such characters as escapes of their own.
_ESCAPING = ('json', 'jsonl', 'yaml')


class UnprintableText(str, _TextColumn):  # type: ignore[misc]
    """Text that would act on or fill a terminal; sorts as ordinary text."""

    def __init__(self, value: str) -> None:
        self._value = value

    def human_readable(self) -> str:
        """Return the text with such characters shown as escapes, or cut."""
        return _shown(self._value)


class PropertiesColumn(_DictColumn):
    """The properties of an image."""

    def human_readable(self) -> str:
        """Return ``key='value', ...`` in the order of the keys."""
        return _shown(
            ', '.join(
                f"{_shown(key)}='{_shown(property_text(value))}'"
                for key, value in sorted(self._value.items())
            )
        )

    def machine_readable(self) -> dict[str, Any]:
        """Return plain dicts and lists, which every formatter can write."""
        plain: dict[str, Any] = thaw(self._value)
        return plain

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, PropertiesColumn):
            return NotImplemented
        return self.human_readable() < other.human_readable()


class HumanSizeColumn(_SizeColumn):
    """A size for people, as OpenStackClient's image command shows it."""

    def human_readable(self) -> str:
        """Return such as ``20.4M``; a thousand bytes are 1K."""
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_lib import utils

        return str(utils.format_size(self._value))

    def machine_readable(self) -> str:
        """Return the same: whoever asks for it gets it in any format."""
        return self.human_readable()


def text(value: str | None) -> str | None:
    """Return a text that every formatter can print."""
    if value is None or (len(value) <= MAX_CELL and value.isprintable()):
        return value
    # NOTE: half of a surrogate pair has no place in any encoding. Images have
    # none, but the name of a region may.
    return UnprintableText(_SURROGATE.sub('\ufffd', value))


class _ShellText:
    """Text that a shell takes for text, within double quotes."""

    def __init__(self, value: object) -> None:
        self._value = str(value)

    def __str__(self) -> str:
        return _SPECIAL.sub(r'\\\g<0>', self._value)


def _shown(value: str) -> str:
    return shortened(printable(shortened(value, MAX_CELL)), MAX_CELL)


def cells_for(
    stdout: TextIO, formatter: str
) -> Callable[[Iterable[Any]], tuple[Any, ...]]:
    """Return what makes cells for a formatter.

    * A table is for people: what its encoding lacks is shown as an escape, as
      is what would act on a terminal.
    * On a terminal the latter holds for every formatter.
    * cliff's formatter for shells leaves ``$(...)`` as it is between double
      quotes, so that the shell would run it.
    """
    changes: list[Callable[[Any], Any]] = []
    if formatter in _ESCAPING:
        return tuple
    if stdout.isatty():
        changes.append(_escaped)
    if formatter == 'shell':
        changes.append(_for_shell)
    if formatter == 'table' and not _has_all_characters(stdout):
        changes.append(functools.partial(_encodable, stdout.encoding))
    if not changes:
        return tuple
    return lambda cells: tuple(
        functools.reduce(lambda cell, change: change(cell), changes, cell)
        for cell in cells
    )


def _escaped(cell: Any) -> Any:
    return cell.human_readable() if isinstance(cell, UnprintableText) else cell


def _for_shell(cell: Any) -> Any:
    if isinstance(cell, columns.FormattableColumn):
        return _ShellText(cell.machine_readable())
    return _ShellText(cell) if isinstance(cell, str) else cell


def _encodable(encoding: str, cell: Any) -> Any:
    if isinstance(cell, columns.FormattableColumn):
        cell = cell.human_readable()
    if isinstance(cell, str):
        return cell.encode(encoding, 'backslashreplace').decode(encoding)
    return cell


def _has_all_characters(stdout: TextIO) -> bool:
    if stdout.errors not in (None, 'strict', 'surrogateescape'):
        # It has something to put in the place of what it lacks.
        return True
    try:
        '\U0010ffff'.encode(stdout.encoding or 'utf-8')
    except UnicodeEncodeError:
        return False
    return True


def _brief(image: 'Image') -> tuple[Any, ...]:
    return text(image.id), text(image.name), text(image.status)


def _long(image: 'Image') -> tuple[Any, ...]:
    return (
        text(image.id),
        text(image.name),
        text(image.status),
        image.progress,
        text(image.server_id),
        image.min_disk,
        image.min_ram,
        image.size,
        text(image.created),
        text(image.updated),
        PropertiesColumn(image.metadata),
    )


class Columns(NamedTuple):
    """The columns of a list.

    :param headers: above the columns
    :param row: makes the cells of an image
    """

    headers: tuple[str, ...]
    row: 'Callable[[Image], tuple[Any, ...]]'

    def with_human_sizes(self) -> 'Columns':
        """Return the same columns, with sizes for people."""

        def row(image: 'Image') -> tuple[Any, ...]:
            return tuple(
                HumanSizeColumn(cell)
                if header == 'Size' and cell is not None
                else cell
                for header, cell in zip(
                    self.headers, self.row(image), strict=True
                )
            )

        return Columns(self.headers, row)


BRIEF = Columns(('ID', 'Name', 'Status'), _brief)
LONG = Columns(
    BRIEF.headers
    + (
        'Progress',
        'Server ID',
        'Min Disk',
        'Min RAM',
        'Size',
        'Created At',
        'Updated At',
        'Properties',
    ),
    _long,
)


def are_requested(
    headers: Iterable[str], parsed_args: argparse.Namespace
) -> bool:
    """Tell whether a list is to show one of these columns, or to sort by it.

    OpenStackClient takes any case, and underscores for spaces.
    """
    requested = {
        name.strip().lower().replace(' ', '_')
        for name in (*parsed_args.columns, *parsed_args.sort_columns)
    }
    return any(h.lower().replace(' ', '_') in requested for h in headers)


def fields(
    image: 'Image',
    where: Mapping[str, str] | None = None,
    *,
    human_sizes: bool = False,
) -> dict[str, Any]:
    """Return everything about one image, by field, in their order.

    :param where: the names of the cloud and region that it was found in, to
        be shown, by field
    :param human_sizes: show the size for people
    """
    shown: dict[str, Any] = {
        'created_at': text(image.created),
        'id': text(image.id),
        'min_disk': image.min_disk,
        'min_ram': image.min_ram,
        'name': text(image.name),
        'progress': image.progress,
        'properties': PropertiesColumn(image.metadata),
        'server_id': text(image.server_id),
        'size': image.size,
        'status': text(image.status),
        'updated_at': text(image.updated),
    }
    if human_sizes and image.size is not None:
        shown['size'] = HumanSizeColumn(image.size)
    if image.disk_config is not None:
        shown['disk_config'] = text(image.disk_config)
    for name, value in (where or {}).items():
        shown[name] = text(value)
    return dict(sorted(shown.items()))
