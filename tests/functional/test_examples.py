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

"""The examples of the documentation, run."""

from collections.abc import Iterator
from pathlib import Path
import shlex
import textwrap

import pytest

_ROOT = Path(__file__).parents[2]


def examples(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each command line of a document, and the output below it.

    They are the literal blocks that begin with ``$ openstack``.
    """
    for block in path.read_text().split('::\n')[1:]:
        lines = []
        for line in block.splitlines():
            if line and not line.startswith('    '):
                break
            lines.append(line)
        text = textwrap.dedent('\n'.join(lines)).strip('\n')
        if not text.startswith('$ openstack'):
            continue
        for example in text.split('\n$ '):
            command, _, output = example.removeprefix('$ ').partition('\n')
            yield command, output.strip('\n')


_EXAMPLES = [
    pytest.param(command, output, id=f'{path.stem}-{number}')
    for path in (_ROOT / 'README.rst', *(_ROOT / 'doc/source').glob('*.rst'))
    for number, (command, output) in enumerate(examples(path), start=1)
]


@pytest.mark.parametrize(('command', 'output'), _EXAMPLES)
def test_an_example_is_what_the_program_does(demo, command, output):
    program, *words = shlex.split(command)
    assert program == 'openstack'
    result = demo.run(*words)
    assert (result.out + result.err).strip('\n') == output
    assert (result.code == 0) == (result.err == '')
