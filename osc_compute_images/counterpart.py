# SPDX-License-Identifier: Apache-2.0

"""The ``openstack image`` command that does the same as a command.

A command has one if everything that was given has a counterpart: with less,
it would select more images. See :mod:`.options.instead`.
"""

import argparse
from collections.abc import Iterable
import shlex
from typing import Any

from osc_compute_images import base
from osc_compute_images.options import instead
from osc_compute_images.text import printable
from osc_compute_images.text import without_credentials

#: Global options that say where, and as whom.
_PLACE = frozenset((
    *('application_credential_id', 'application_credential_name', 'auth_type'),
    *('auth_url', 'cacert', 'cert', 'cloud', 'default_domain'),
    *('default_domain_id', 'default_domain_name', 'domain_id', 'domain_name'),
    *('insecure', 'interface', 'key', 'project_domain_id'),
    *('project_domain_name', 'project_id', 'project_name', 'region_name'),
    *('system_scope', 'trust_id', 'user_domain_id', 'user_domain_name'),
    *('user_id', 'username', 'verify'),
))  # fmt: skip

#: Those that say neither. Without its secret, a login fails or asks for it;
#: without its token, it would be another login.
_OTHERS = frozenset((
    *('application_credential_secret', 'debug', 'log_file', 'passcode'),
    *('os_compute_api_version', 'password', 'timing', 'verbose_level'),
))  # fmt: skip


def advice(command: base.ImagesCommand | None) -> str:
    """Return a sentence that tells how to do the same, if it is possible."""
    known = [] if command is None else [*instead.actions(command.parser)]
    if command is None or not (known and command.same_as):
        return 'The "openstack image" commands use the Image service instead'
    made = _Counterpart()
    for action in instead.actions(getattr(command.app, 'parser', None)):
        if action.dest not in _OTHERS:
            is_place = action.dest in _PLACE
            same = instead.Same(_public) if is_place else None
            made.add(action, command.app.options, same, made.places)
    for action in known:
        same = vars(action).get('same')
        made.add(action, command.parsed_args, same, made.options)
    line = made.line(command.same_as)
    if line != printable(line):
        made.lost.append('control characters')
    if not made.lost:
        return f'Use the Image service{command.same_but}: {line}'
    return (
        f'"openstack image {command.same_as}" uses the Image service instead, '
        f'but has no counterpart of {printable(" and ".join(made.lost))}'
    )


def _public(value: Any) -> Iterable[object] | None:
    text = str(value)
    return [value] if without_credentials(text) == text else None


class _Counterpart:
    """The other command, as it is put together.

    :ivar places: its global options
    :ivar lost: what has no counterpart in it
    """

    def __init__(self) -> None:
        self.places: list[str] = []
        self.options: list[str] = []
        self.lost: list[str] = []
        self._arguments: list[str] = []

    def add(
        self,
        action: argparse.Action,
        parsed: argparse.Namespace,
        same: instead.Same | None,
        words: list[str],
    ) -> None:
        """Add an option or argument, if it was given.

        :param same: its counterpart
        :param words: where an option is added
        """
        value = getattr(parsed, action.dest, None)
        if value in (None, False, '', [], action.default):
            return
        is_flag = action.nargs == 0
        if is_flag and value not in (action.const, [action.const]):
            # Another option has the same attribute.
            return
        names = action.option_strings
        if same is None:
            self.lost += names[-1:]
            return
        values = same.values(value)
        if values is None or any(getattr(parsed, o) for o in same.unless):
            self.lost.append(f'this {names[-1] if names else "name"}')
            return
        texts = [*map(str, values)]
        if not names:
            self._arguments += texts
            return
        if same.option is not None:
            names = [same.option]
            words = self.places if names[0].startswith('--os-') else words
        for text in texts:
            if is_flag:
                words.append(names[0])
            elif text.startswith('-'):
                # After a space, it would be an option.
                words.append(f'{names[-1]}={text}')
            else:
                words += [names[0], text]

    def line(self, verb: str) -> str:
        """Return the command, for a shell."""
        arguments = self._arguments
        if any(word.startswith('-') for word in arguments):
            arguments = ['--', *arguments]
        words = (*self.places, 'image', verb, *self.options, *arguments)
        return shlex.join(('openstack', *words))
