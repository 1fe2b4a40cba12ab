# SPDX-License-Identifier: Apache-2.0

"""The fields of an image, each declared once: for lists, and for show."""

import argparse
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from osc_lib import exceptions

from osc_compute_images.api import Image
from osc_compute_images.output.escaping import HumanSizeColumn
from osc_compute_images.output.escaping import PropertiesColumn
from osc_compute_images.output.escaping import text_cell


class Field(NamedTuple):
    """A field of an image.

    :param name: for show
    :param header: for lists; None if only show has it
    :param cell: returns the cell of an image; if it is None, show leaves out a
        field without header
    :param is_brief: whether lists have it without --long
    """

    name: str
    header: str | None
    cell: Callable[[Image], Any]
    is_brief: bool = False


#: All fields, in the order of the columns.
FIELDS = (
    Field('id', 'ID', lambda i: text_cell(i.id), is_brief=True),
    Field('name', 'Name', lambda i: text_cell(i.name), is_brief=True),
    Field('status', 'Status', lambda i: text_cell(i.status), is_brief=True),
    Field('progress', 'Progress', lambda i: i.progress),
    Field('server_id', 'Server ID', lambda i: text_cell(i.server_id)),
    Field('min_disk', 'Min Disk', lambda i: i.min_disk),
    Field('min_ram', 'Min RAM', lambda i: i.min_ram),
    Field('size', 'Size', lambda i: i.size),
    Field('created_at', 'Created At', lambda i: text_cell(i.created)),
    Field('updated_at', 'Updated At', lambda i: text_cell(i.updated)),
    Field('properties', 'Properties', lambda i: PropertiesColumn(i.metadata)),
    Field('disk_config', None, lambda i: text_cell(i.disk_config)),
)

#: The headers of lists, without and with --long.
BRIEF = tuple([f.header for f in FIELDS if f.header and f.is_brief])
LONG = tuple([f.header for f in FIELDS if f.header])


def row_of(
    headers: Collection[str], *, human_sizes: bool = False
) -> Callable[[Image], tuple[Any, ...]]:
    """Return a function that returns the cells of an image."""
    cells = [
        _human_size if human_sizes and field.name == 'size' else field.cell
        for field in FIELDS
        if field.header in headers
    ]
    return lambda image: tuple([cell(image) for cell in cells])


def shown(
    image: Image,
    where: Mapping[str, str],
    *,
    human_sizes: bool = False,
) -> dict[str, Any]:
    """Return the fields of an image for show, sorted by name.

    :param where: additional fields: the names of its cloud and region
    :param human_sizes: format the size for humans
    """
    made = {
        field.name: cell
        for field in FIELDS
        if (cell := field.cell(image)) is not None or field.header
    }
    if human_sizes:
        made['size'] = _human_size(image)
    made |= {name: text_cell(value) for name, value in where.items()}
    return dict(sorted(made.items()))


def are_requested(
    headers: Iterable[str], parsed_args: argparse.Namespace
) -> bool:
    """Return whether --column or --sort-column names one of the headers.

    As in OpenStackClient, case is ignored, and underscores match spaces.
    """
    requested = {
        *map(folded, (*parsed_args.columns, *parsed_args.sort_columns))
    }
    return any(folded(header) in requested for header in headers)


def check_requested(
    headers: Sequence[str], parsed_args: argparse.Namespace
) -> None:
    """Check --column before any request; cliff checks it afterwards.

    :param headers: all that could be shown
    :raises CommandError: if there is no such column
    """
    wanted = {*map(folded, parsed_args.columns)}
    if wanted and not wanted & {*map(folded, headers)}:
        given, known = ', '.join(parsed_args.columns), ', '.join(headers)
        raise exceptions.CommandError(
            f'There is no column {given}; choose from {known}'
        )


def _human_size(image: Image) -> HumanSizeColumn | None:
    return None if image.size is None else HumanSizeColumn(image.size)


def folded(header: str) -> str:
    """Return a header as --column and --sort-column compare it."""
    return header.strip().lower().replace(' ', '_')
