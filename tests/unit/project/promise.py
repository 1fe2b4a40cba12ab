# SPDX-License-Identifier: Apache-2.0

"""The list of public names of the Python API.

``python -m tests.unit.project.promise`` updates ``promise.txt``.
"""

from collections.abc import Iterator
import enum
import inspect
import pathlib

from osc_compute_images import api
from osc_compute_images.api import clouds
from osc_compute_images.api import filters
from osc_compute_images.api.changes import keep
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import properties
from osc_compute_images.api.changes import protection
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes import usage
from osc_compute_images.api.groups import selection
from osc_compute_images.api.groups import summary
from osc_compute_images.api.servers import fleet
from osc_compute_images.api.snapshots import apply as snapshots_apply
from osc_compute_images.api.snapshots import coverage as snapshots_coverage
from osc_compute_images.api.snapshots import plan as snapshots_plan

STORED = pathlib.Path(__file__).with_name('promise.txt')

#: The public modules of the API.
MODULES = (
    *(clouds, filters, fleet, keep, plan, properties, protection),
    *(retention, selection, summary, usage),
    *(snapshots_apply, snapshots_coverage, snapshots_plan),
)

_NOT_MADE_BY_USERS = (api.ImagePage, api.ListOptsBuilder, api.Pager)


def text() -> str:
    """Return a line for each public name and each public member."""
    public = {f'api.{name}': getattr(api, name) for name in api.__all__}
    for module in MODULES:
        path = module.__name__.removeprefix('osc_compute_images.')
        public |= {
            f'{path}.{name}': getattr(module, name) for name in module.__all__
        }
    return ''.join(
        f'{line}\n'
        for name, value in sorted(public.items())
        for line in _described(name, value)
    )


def _described(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        bases = [base for base in value.__bases__ if not _is_part(base)]
        names = ', '.join(base.__name__ for base in bases or [object])
        yield f'class {name}({names})'
        # The signature of an enumeration depends on the version of Python.
        if value not in _NOT_MADE_BY_USERS and not issubclass(
            value, enum.Enum
        ):
            yield _called(name, value)
        members = dict(vars(value))
        for base in filter(_is_part, value.__bases__):
            members = dict(vars(base)) | members
        for member, part in sorted(members.items()):
            if not member.startswith('_'):
                yield from _described(f'{name}.{member}', part)
    elif inspect.isfunction(value):
        yield _called(name, value)
    else:
        yield name


def _is_part(base: type) -> bool:
    """Return whether a base class is private."""
    is_ours = base.__module__.startswith('osc_compute_images.')
    return is_ours and base.__name__ not in api.__all__


def _called(name: str, value: object) -> str:
    """Return the signature, without types: mypy checks these."""
    assert callable(value)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(value).parameters.values()
    ]
    return f'{name}{inspect.Signature(parameters)}'


if __name__ == '__main__':
    STORED.write_text(text())
