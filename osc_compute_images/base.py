# SPDX-License-Identifier: Apache-2.0

"""The base class of all commands.

``openstack`` loads this module, and those of all commands, on every start.
They declare options; what a command does is in a module that it imports when
it runs: see :meth:`ImagesCommand.work`.
"""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Protocol
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.command import command

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

#: Seconds to wait for a response, unless ``api_timeout`` is configured.
TIMEOUT = 60.0

#: Exit code if a plan was refused, or what was read has gaps.
EXIT_REFUSED = 7


class Failure(exceptions.CommandError):
    """A command fails with its own exit code, and logs the message."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(Failure):
    """The options of a command do not fit together.

    The error function of a parser would end an interactive shell.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, 2)


class Work(Protocol):
    """What a command does with its options."""

    def run(self) -> tuple[Sequence[str], Iterable[Any]]:
        """Return the names and the values of the columns."""

    def exit_code(self, code: int) -> int:
        """Report what was left out; return the exit code."""


class _HelpFormatter(argparse.HelpFormatter):
    """Has room for the options, and does not wrap indented examples."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{'max_help_position': 29, **kwargs})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return '\n'.join(
            line if line.startswith(' ') else fill(line, width, indent)
            for line in text.split('\n')
        )


class ImagesCommand(command.Command):
    """A command with a timeout for requests, and checked output."""

    #: The shell would log in before the options that select the region are
    #: known: :func:`.scope.selected` does.
    auth_required = False

    #: The arguments other than options, for the usage.
    arguments: tuple[str, ...] = ()

    #: For the end of the help: what follows the command; and other text.
    examples: tuple[str, ...] = ()
    notes = ''

    def __init__(
        self,
        app: Any,
        app_args: argparse.Namespace | None,
        cmd_name: str | None = None,
    ) -> None:
        super().__init__(app, app_args, cmd_name)
        #: Settings of other regions and clouds than the shell's own, which
        #: have a session.
        self.logins: list[CloudRegion] = []
        # NOTE: set here, as the session is created before run(). The
        # documentation is built without a configuration.
        config = getattr(app, 'cloud_config', None)
        if config is not None:
            config.defaults['api_timeout'] = TIMEOUT

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        # NOTE: with all options, an error of usage would not be seen.
        parser.usage = ' '.join(('%(prog)s', '[options]', *self.arguments))
        parse_args: Any = parser.parse_args

        def parse(args: Sequence[str], *namespace: Any) -> Any:
            parsed = parse_args(args, *namespace)
            # A plan records them, to be made again.
            parsed.words = tuple(args)
            return parsed

        vars(parser)['parse_args'] = parse
        above: Any = parser.formatter_class
        formatter: Any = type('HelpFormatter', (_HelpFormatter, above), {})
        parser.formatter_class = formatter
        # The options of the output come last; these groups are argparse's.
        groups = getattr(parser, '_action_groups', [])
        of_output = groups[2:]
        del groups[2:]
        self.add_options(parser)
        groups += of_output
        return parser

    @abc.abstractmethod
    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments and options, in groups."""

    def get_epilog(self) -> str:
        examples = '\n'.join(f'  %(prog)s {words}' for words in self.examples)
        hooks = (hook.obj for hook in getattr(self, '_hooks', ()))
        texts = [
            f'Examples:\n{examples}',
            self.notes,
            *(hook.get_epilog() for hook in hooks if hook is not None),
            # NOTE: to find this name, cliff would read the metadata of all
            # installed distributions, on every run.
            'This command is provided by the osc-compute-images plugin.',
        ]
        return '\n\n'.join(filter(None, texts))

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check the options, before anything else is done.

        :raises UsageError: if they do not fit together
        """

    def prints(self, parsed_args: argparse.Namespace) -> bool:
        """Return whether the command needs an output."""
        del parsed_args
        return True

    @abc.abstractmethod
    def work(self, parsed_args: argparse.Namespace) -> Work:
        """Import and return what the command does."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.output import flush
        from osc_compute_images.output import logs

        logs.sanitize_logs()
        try:
            with flush.flushed(self.app.stdout):
                try:
                    code = super().run(parsed_args)
                finally:
                    self._end_sessions()
            return self._work.exit_code(code)
        except Failure as e:
            self.log.error('%s', e)
            return e.exit_code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        # NOTE: the hooks of other plugins may have changed the arguments.
        self.check(parsed_args)
        if self.app.stdout is None and self.prints(parsed_args):
            raise exceptions.CommandError(
                'Cannot write the output: stdout is closed'
            )
        self._work = self.work(parsed_args)
        return self._work.run()

    def _end_sessions(self) -> None:
        """Do what the shell does at the end with its own session.

        It caches the token, if configured, and adds the requests to the output
        of --timing.
        """
        manager: Any = self.app.client_manager
        # NOTE: of regions with one login, the first has its current token.
        for settings in reversed(self.logins):
            settings.set_auth_cache()
            session = settings.get_session()
            # NOTE: the shell reads the timings of its own session; it has
            # none if it has not logged in.
            if getattr(manager, 'session', None) is None:
                manager.session = session
            elif session is not manager.session:
                self.app.timing_data.extend(session.get_timings())
