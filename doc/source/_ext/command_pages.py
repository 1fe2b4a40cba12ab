# SPDX-License-Identifier: Apache-2.0

"""The reference page of a command, made from its parser.

``.. command-reference:: compute image list`` stands for what cliff's
``autoprogram-cliff`` makes, in the page's own section instead of one below it,
and in the order of a manual page: arguments and options, then those that
every list or show command has.
"""

from importlib import metadata
from typing import Any

from cliff import sphinxext
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

_NAMESPACE = 'openstack.compute.v2'

#: The options of cliff's output formatters.
_OUTPUT = (
    *('-c', '-f', '--fit-width', '--max-width', '--noindent', '--prefix'),
    *('--print-empty', '--quote', '--sort-ascending', '--sort-column'),
    *('--sort-descending', '--variable'),
)


#: The parts of a page, and which arguments and options belong there.
_PARTS = {
    'Arguments': lambda word: not word.startswith('-'),
    'Options': lambda word: word.startswith('-') and word not in _OUTPUT,
    'Output options': lambda word: word in _OUTPUT,
}


class CommandReference(sphinxext.AutoprogramCliffDirective):
    """What a command is for, its usage and its options."""

    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the nodes of all that."""
        self.options['command'] = command = self.arguments[0]
        self.arguments[0] = _NAMESPACE
        (made,) = super().run()
        options = [n for n in made.children if isinstance(n, addnodes.desc)]
        prose = [
            node
            for node in made.children[1:]
            if not isinstance(node, addnodes.desc | addnodes.index)
        ]
        sections = []
        for title, belongs in _PARTS.items():
            chosen = [o for o in options if belongs(_first_word(o))]
            if chosen:
                section = nodes.section(
                    '',
                    nodes.title(text=title),
                    *chosen,
                    ids=[nodes.make_id(f'{command} {title}')],
                )
                sections.append(section)
        return prose + sections


def _first_word(option: addnodes.desc) -> str:
    return next(option.findall(addnodes.desc_name)).astext().split()[0]


def man_pages() -> list[tuple[str, str, str, str, int]]:
    """Return what Sphinx must know to make a man page of each command."""
    return [
        (
            f'commands/{entry.name.rpartition("_")[2]}',
            f'openstack-{entry.name.replace("_", "-")}',
            entry.load()._description,
            '',
            1,
        )
        for entry in metadata.distribution('osc-compute-images').entry_points
        if entry.group == _NAMESPACE
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.setup_extension('cliff.sphinxext')
    app.add_directive('command-reference', CommandReference)
    return {'parallel_read_safe': True}
