# SPDX-License-Identifier: Apache-2.0

"""An option that filters images, or servers."""

import argparse
from collections.abc import Callable
from typing import Any

from osc_compute_images.options import parsers


# NOTE: no named tuple or data class, which takes long to define: every
# "openstack" command loads this module.
class FilterOption:
    """An option that filters.

    :param name: without the dashes
    :param metavar: None if it has no value
    :param help: of the option
    :param type: parses a value; a dict is of keyword arguments
    :param is_range: whether an image must match all values if the option is
        repeated; otherwise any of them
    :param negative: help of the option ``--not-...``, if there is one
    :param excludes: returns whether a value only excludes images
    :param time: the field of images that it reads a time from, if it does
    """

    def __init__(
        self,
        name: str,
        metavar: str | None,
        help: str,  # noqa: A002
        *,
        type: Callable[[str], Any] = str,  # noqa: A002
        is_range: bool = False,
        negative: str | None = None,
        excludes: Callable[[Any], bool] | None = None,
        time: str | None = None,
    ) -> None:
        self.dest = name.replace('-', '_')
        self.name = name
        self.metavar = metavar
        self.help = help
        self.type = type
        self.is_range = is_range
        self.negative = negative
        self.excludes = excludes
        self.time = time

    def add_to(
        self, parser: 'argparse._ActionsContainer', prefix: str = ''
    ) -> None:
        """Add the option, with a prefix if its name means another thing."""
        if self.metavar is None:
            parser.add_argument(
                f'--{prefix}{self.name}',
                action='append_const',
                const=True,
                dest=self.dest,
                help=self.help,
            )
            return
        negative = 'without-' if prefix else 'not-'
        for start, dest, text in (
            (prefix, self.dest, self.help),
            (negative, f'not_{self.dest}', self.negative),
        ):
            if text is not None:
                parser.add_argument(
                    f'--{start}{self.name}',
                    metavar=self.metavar,
                    action='append',
                    type=parsers.not_empty(self.type),
                    dest=dest,
                    help=text,
                )

    def given(
        self, parsed_args: argparse.Namespace
    ) -> tuple[list[Any], list[Any]]:
        """Return the values that the user has given, and those negated."""
        return (
            getattr(parsed_args, self.dest) or [],
            getattr(parsed_args, f'not_{self.dest}', None) or [],
        )

    def selects(self, parsed_args: argparse.Namespace) -> bool:
        """Return whether the user has given a value that selects images."""
        values, _negated = self.given(parsed_args)
        return any(not (self.excludes and self.excludes(v)) for v in values)
