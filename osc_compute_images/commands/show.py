# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Show one image of the Compute service."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _connect


class ShowComputeImage(command.ShowOne):
    """Show an image as the Compute service describes it."""

    _description = _('Show details of an image, through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            help=_('Image to display (name or ID)'),
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        with _connect.images_api(self.app.client_manager) as api:
            image = api.find(parsed_args.image)
        fields = _columns.fields(image)
        return tuple(fields), tuple(fields.values())
