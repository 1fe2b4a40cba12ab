# SPDX-License-Identifier: Apache-2.0

"""The list of public names of the Python API.

``python -m tests.unit.project.promise`` updates ``promise.txt``.
"""

import enum
import importlib
import inspect
import pathlib
import pkgutil

from osc_compute_images import api

STORED = pathlib.Path(__file__).with_name('promise.txt')

_NOT_MADE_BY_USERS = (api.ImagePage, api.ListOptsBuilder, api.Pager)


def modules():
    """Return the public modules of the API, by their names in it."""
    start = f'{api.__name__}.'
    found = [each.name for each in pkgutil.walk_packages(api.__path__, start)]
    made = {
        name.removeprefix(start): importlib.import_module(name)
        for name in found
        if '._' not in name
    }
    return {name: m for name, m in made.items() if hasattr(m, '__all__')}


def text():
    """Return a line for each public name and each public member."""
    public = {f'api.{name}': getattr(api, name) for name in api.__all__}
    for path, module in modules().items():
        for name in module.__all__:
            public[f'api.{path}.{name}'] = getattr(module, name)
    lines = [
        line
        for name, value in public.items()
        for line in _described(name, value)
    ]
    return ''.join(f'{line}\n' for line in sorted(lines))


def _described(name, value):
    if inspect.isclass(value):
        parts = [base for base in value.__bases__ if _is_part(base)]
        others = [b.__name__ for b in value.__bases__ if b not in parts]
        # The signature of an enumeration depends on the version of Python.
        fields, called = {}, name
        if issubclass(value, enum.Enum):
            fields = value.__members__
            called = f'{name}({", ".join(fields)})'
        elif value not in _NOT_MADE_BY_USERS:
            fields = inspect.get_annotations(value)
            called = _called(name, value)
        yield ': '.join([called, *others])
        members = dict(vars(value))
        for base in parts:
            members = dict(vars(base)) | members
        for member, part in members.items():
            if not member.startswith('_') and member not in fields:
                yield from _described(f'{name}.{member}', part)
    elif inspect.isfunction(value):
        yield _called(name, value)
    else:
        yield name


def _is_part(base):
    """Return whether a base class is private, or none."""
    is_ours = base.__module__.startswith('osc_compute_images.')
    return base is object or (is_ours and base.__name__ not in api.__all__)


def _called(name, value):
    """Return the signature, without types: mypy checks these."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(value).parameters.values()
    ]
    return f'{name}{inspect.Signature(parameters)}'


if __name__ == '__main__':
    STORED.write_text(text())
