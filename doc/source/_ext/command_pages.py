# SPDX-License-Identifier: Apache-2.0

"""Generate the reference page of a command from its parser.

``.. command-reference:: compute image list`` inserts the output of cliff's
``autoprogram-cliff``, in the sections of a man page. The examples come first,
and the options that all list and show commands share last. ``.. exit-codes::``
inserts the table of all exit codes.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
import re
import textwrap
from typing import Any

from cliff import sphinxext
from docutils import nodes
from docutils.parsers.rst import Directive
import exit_codes
from sphinx import addnodes
from sphinx.application import Sphinx

_NAMESPACE = 'openstack.compute.v2'

#: The options of cliff's output formatters.
_OUTPUT = {
    *('-c', '-f', '--fit-width', '--max-width', '--noindent', '--prefix'),
    *('--print-empty', '--quote', '--sort-ascending', '--sort-column'),
    *('--sort-descending', '--variable'),
}


class CommandReference(sphinxext.AutoprogramCliffDirective):
    """The synopsis, description and options of a command."""

    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.options['command'] = self.arguments[0]
        self.arguments[0] = _NAMESPACE
        (made,) = super().run()
        options = [n for n in made.children if isinstance(n, addnodes.desc)]
        # What comes after the options is the end of the help: examples and
        # exit codes, which the page has.
        prose = [
            node
            for node in made.children[1 : made.index(options[0])]
            if not isinstance(node, addnodes.index)
        ]
        usage = [n for n in prose if isinstance(n, nodes.literal_block)]
        return [
            self._section('Synopsis', usage),
            self._section('Description', [n for n in prose if n not in usage]),
            self._section('Options', [*self._in_groups(options)]),
            self._section('Exit status', [self._exit_codes()]),
            self._section(
                'Output options',
                [o for o in options if _first_word(o) in _OUTPUT],
            ),
            self._section('See also', [self._see_also()]),
        ]

    def _in_groups(self, options: list[addnodes.desc]) -> Iterator[nodes.Node]:
        """Yield the options below the titles of their groups."""
        (command,) = self._load_commands().values()
        of_word = {_first_word(option): option for option in options}
        parser = command(None, None).get_parser('')
        for number, group in enumerate(parser._action_groups):
            words = [
                (action.option_strings or [action.metavar])[0].split()[0]
                for action in group._group_actions
            ]
            own = [of_word[w] for w in words if w in of_word.keys() - _OUTPUT]
            # The first two are argparse's own.
            if own and number > 1:
                yield nodes.rubric(text=group.title.capitalize())
                if group.description:
                    yield nodes.paragraph(text=group.description)
            yield from own

    def _exit_codes(self) -> nodes.table:
        name = self.options['command'].split()[-1]
        head = ('Exit code', 'Meaning')
        return _table((20, 80), head, *exit_codes.of_command(name))

    def _see_also(self) -> nodes.paragraph:
        own = f'openstack-{self.options["command"].replace(" ", "-")}'
        others = [name for _page, name, *_more in man_pages() if name != own]
        return nodes.paragraph(
            text=', '.join(f'{name}(1)' for name in ('openstack', *others))
        )

    def _section(self, title: str, content: list[nodes.Node]) -> nodes.section:
        name = nodes.make_id(f'{self.options["command"]} {title}')
        return nodes.section('', nodes.title(text=title), *content, ids=[name])


class ExitCodes(Directive):
    """The table of the exit codes of all commands."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        head = ('Exit code', 'Commands', 'Meaning')
        return [_table((12, 28, 60), head, *exit_codes.of_all())]


def _table(widths: Sequence[int], *rows: Sequence[str]) -> nodes.table:
    """Return a table, whose first row is its head."""
    head, *body = (
        nodes.row(
            '', *(nodes.entry('', nodes.paragraph(text=cell)) for cell in row)
        )
        for row in rows
    )
    return nodes.table(
        '',
        nodes.tgroup(
            '',
            *(nodes.colspec(colwidth=width) for width in widths),
            nodes.thead('', head),
            nodes.tbody('', *body),
            cols=len(widths),
        ),
    )


def put_in_order(app: Sphinx, document: nodes.document) -> None:
    """Move the examples to the top of the page of a command.

    Some sections move below its handwritten part.
    """
    if not app.env.docname.startswith('commands/'):
        return
    last = re.compile('compute-image-.*-(output-options|see-also)')
    for section in list(document.findall(nodes.section)):
        page = section.parent
        if 'examples' in section['ids']:
            page.remove(section)
            # Below the title.
            page.insert(1, section)
        elif last.fullmatch(section['ids'][0]):
            page.remove(section)
            if len(section) > 1:
                page.append(section)


def _first_word(option: addnodes.desc) -> str:
    return next(option.findall(addnodes.desc_name)).astext().split()[0]


def man_pages() -> list[tuple[str, str, str, str, int]]:
    """Return Sphinx's ``man_pages`` entry of each command."""
    return [
        (
            f'commands/{entry.name.rpartition("_")[2]}',
            f'openstack-{entry.name.replace("_", "-")}',
            entry.load()._description.partition(':')[0],
            '',
            1,
        )
        for entry in metadata.distribution('osc-compute-images').entry_points
        if entry.group == _NAMESPACE
    ] + [
        (
            'compute-image',
            'compute-image',
            'show and change images, without the rest of the client',
            '',
            1,
        )
    ]


def name_the_manual(app: Sphinx) -> None:
    """Set a short project name, so that page headers fit 80 columns."""
    if app.builder.name == 'man':
        app.config.project = 'Nova'


def unlink(app: Sphinx, document: nodes.document, _name: str) -> None:
    """Leave of links to other pages their text: a manual has no such pages."""
    if app.builder.name != 'man':
        return
    for link in list(document.findall(nodes.reference)):
        if not link.get('refuri', '').startswith('http'):
            link.replace_self(link.children)


def wrap_lines(app: Sphinx, error: Exception | None) -> None:
    """Wrap the lines of man pages to satisfy mandoc's lint."""
    if error is not None or app.builder.name != 'man':
        return
    for path in Path(app.outdir).glob('*.1'):
        path.write_text('\n'.join(_wrapped(path.read_text().split('\n'))))


# A tab separates the cells of a table.
_WRAPPER = textwrap.TextWrapper(
    78,
    break_long_words=False,
    break_on_hyphens=False,
    expand_tabs=False,
    replace_whitespace=False,
)


def _wrapped(lines: list[str]) -> Iterator[str]:
    literal = False
    before = ''
    for line in lines:
        if line in ('.EX', '.EE'):
            literal = line == '.EX'
        if line == '.sp' and before.startswith('.SH'):
            continue
        before = line
        # Names of commands and options are neither hyphenated nor spread. A
        # section begins with hyphenation on.
        if line.startswith('.TH '):
            yield from (line, '.ad l')
        elif line.startswith('.SH') and line != '.SH NAME':
            yield from (line, '.nh')
        elif literal or line.startswith(('.', "'")):
            yield line
        else:
            # A line that begins with a dot would be a roff request.
            kept = re.sub(r" (?=[.'])", '\0', line)
            for part in _WRAPPER.wrap(kept) or ['']:
                yield part.replace('\0', ' ')


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.setup_extension('cliff.sphinxext')
    app.add_directive('command-reference', CommandReference)
    app.add_directive('exit-codes', ExitCodes)
    app.connect('builder-inited', name_the_manual)
    app.connect('doctree-read', put_in_order)
    app.connect('doctree-resolved', unlink)
    app.connect('build-finished', wrap_lines)
    return {'parallel_read_safe': True}
