# SPDX-License-Identifier: Apache-2.0

"""Plans as documents: rows of JSON, each of which stands alone.

Rows may be removed from a document. A checksum tells whether a row was altered
by mistake; it proves nothing about who wrote it.
"""

import codecs
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import json
from typing import Any

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.records._image import Image

#: Version of the rows. A plan of another version is refused.
SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a plan was made, as far as is known.

    :param cloud: name of the cloud in ``clouds.yaml``
    :param region: name of the region
    :param project: ID of the project
    """

    cloud: str | None = None
    region: str | None = None
    project: str | None = None

    def __str__(self) -> str:
        return ', '.join(
            f'{name} {value or "unknown"}'
            for name, value in dataclasses.asdict(self).items()
        )


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row. Columns are named in it, and fields as what they are of."""

    action: Action = msgspec.field(name='Action')
    id: str = msgspec.field(name='ID')
    name: str | None = msgspec.field(name='Name')
    reason: str = msgspec.field(name='Reason')
    status: str | None = msgspec.field(name='Status')
    updated: str | None = msgspec.field(name='Updated At')
    size: int | None = msgspec.field(name='Size')
    successor: str | None = msgspec.field(name='Successor')
    properties: dict[str, str] = msgspec.field(name='Properties')
    replaces: bool = msgspec.field(name='Replaces')
    keys: tuple[str, ...] = msgspec.field(name='Removed')
    cloud: str | None = msgspec.field(name='Cloud')
    region: str | None = msgspec.field(name='Region')
    project: str | None = msgspec.field(name='Project')
    command: tuple[str, ...] = msgspec.field(name='Command')
    schema: int = msgspec.field(name='Schema')
    checksum: str = msgspec.field(name='Checksum')


_OF_IMAGE = 'id name status updated size'
_OF_STEP = 'action reason successor properties replaces keys'
_OF_ORIGIN = 'cloud region project'

#: The names of the columns of a row.
COLUMNS: tuple[str, ...] = tuple(
    field.encode_name for field in msgspec.structs.fields(_Row)
)


def row(
    step: Step, origin: Origin | None = None, command: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the row of a step, by the names of its columns.

    :param command: the words of the command that makes the plan
    """
    unsigned = _Row(
        **_values(step.image, _OF_IMAGE),
        **_values(step, _OF_STEP),
        **_values(origin or Origin(), _OF_ORIGIN),
        command=tuple(command),
        schema=SCHEMA,
        checksum='',
    )
    # NOTE: the properties may be any mapping.
    content: dict[str, Any] = msgspec.to_builtins(unsigned, enc_hook=dict)
    return {**content, 'Checksum': checksum(content)}


def checksum(content: Mapping[str, Any]) -> str:
    """Return the checksum of a row, whatever it has now."""
    unsigned = json.dumps(
        {**content, 'Checksum': ''}, sort_keys=True, separators=(',', ':')
    )
    return hashlib.sha256(unsigned.encode()).hexdigest()[:32]


def read(
    text: str | bytes,
) -> tuple[dict[Origin, dict[str, Step]], tuple[str, ...]]:
    """Read a document, JSON or JSON Lines.

    :returns: the steps of each origin by the IDs of their images, in the order
        of the rows, and the words of the command that made the plan: none for
        that of a Python program
    :raises PlanRefused: if it is not one, or if a row was altered
    """
    if isinstance(text, str):
        text = text.encode(errors='surrogatepass')
    text = text.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        # NOTE: a plan without rows is [].
        raise _refusal('it is empty')
    if not text.startswith(b'['):
        text = b'[%s]' % b','.join(filter(None, text.splitlines()))
    try:
        # NOTE: the decoder of msgspec refuses lone surrogates, which names may
        # have.
        contents = json.loads(text)
        rows = msgspec.convert(contents, list[_Row])
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _refusal(f'it is not a plan in JSON: {e}') from e
    by_origin: dict[Origin, dict[str, Step]] = {}
    for each, content in zip(rows, contents, strict=True):
        if each.schema != SCHEMA:
            raise _refusal(
                f'its schema is {each.schema}, and not {SCHEMA}: make it again'
            )
        if each.checksum != checksum(content):
            raise _refusal(
                f'the row of image {each.id} was altered. Rows may only be '
                f'removed'
            )
        origin = Origin(**_values(each, _OF_ORIGIN))
        image = Image(**_values(each, _OF_IMAGE))
        steps = by_origin.setdefault(origin, {})
        if image.id in steps:
            raise _refusal(f'it has image {image.id} twice')
        steps[image.id] = Step(image=image, **_values(each, _OF_STEP))
    commands = {each.command for each in rows}
    if len(commands) > 1:
        raise _refusal('its rows are of several commands')
    return by_origin, next(iter(commands), ())


def _values(source: object, names: str) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names.split()}


def _refusal(reason: str) -> _errors.PlanRefused:
    return _errors.PlanRefused(f'The plan is refused: {reason}')
