# SPDX-License-Identifier: Apache-2.0

"""Make the page of the documentation from results.json."""

from collections.abc import Iterator
import json
import pathlib
import textwrap
from typing import Any

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / 'results.json'
PAGE = HERE.parent / 'doc/source/faults.rst'

#: Seconds that are worth a word.
LONG = 60

_INTRODUCTION = """\
======
Faults
======

.. Made by "./run faults" from robustness/results.json: don't edit.

What becomes of a list of images where a server is hostile, broken or busy.
Each cell is a run of the real program, in a process of its own, on a canned
cloud that has this one fault:

* this plugin: ``openstack compute image list``
* openstacksdk: a program of a few lines on ``compute.images()``, with the
  defaults of the library
* gophercloud: one on ``images.ListDetail``, likewise
* ``openstack image list``, which asks Glance, whose canned server has the
  same fault

There are 6 images, in pages of 2 where pages matter; the faults *in
mid-listing* are on the second page. An error is one line, unless more are
counted; ``openstack`` makes such a line of any exception, so that it may say
little. Each process may hold {memory} of memory, and is stopped after a
minute, after {patience} minutes where the fault is to wait, or when it has
asked for {many} pages. In **bold** is what nobody wants: a token that goes to
another host or by another name, images that are not of the cloud, a list that
is not complete without a word about it, images twice, no end, no memory left,
a traceback, a name that acts on the terminal, success where nothing is done.
The *writes* delete an image, or set a property of one, and are not carried out
by the server.

``./run faults`` runs it all again, and writes this page and
``robustness/results.json``, which has the messages. gophercloud is
that of Debian.
"""


def load() -> dict[str, Any]:
    """Return the results."""
    results: dict[str, Any] = json.loads(RESULTS.read_text('utf-8'))
    return results


def write(results: dict[str, Any]) -> None:
    """Write the results, and the page that is made of them."""
    text = json.dumps(results, indent=2, ensure_ascii=False)
    RESULTS.write_text(text + '\n', 'utf-8')
    PAGE.write_text(page(results), 'utf-8')


def words(facts: dict[str, Any]) -> str:
    """Say what became of a subject, in a few words."""
    return '; '.join(_words(facts))


def _words(facts: dict[str, Any]) -> Iterator[str]:
    if facts['elsewhere']:
        yield '**token sent there**'
    # NOTE: the results of lists may be older than those of writes.
    if facts.get('write'):
        yield (
            '**success, and nothing is done**'
            if facts['code'] == 0
            else _failure(facts)
        )
        return
    if facts['strange']:
        yield '**lists what is there**'
        return
    if facts['acts'] is not None and facts['code'] == 0:
        yield '**acts on the terminal**' if facts['acts'] else 'shown escaped'
        return
    if facts['twice'] and not facts['endless']:
        yield '**images twice**'
    yield _end(facts)


def _end(facts: dict[str, Any]) -> str:
    if facts['endless']:
        return '**asks for ever**'
    if facts['code'] is None:
        return f'**still waiting after {facts["seconds"]} s**'
    part = f'{facts["listed"]:,} of {facts["images"]:,}'
    if facts['code'] == 0:
        whole = facts['listed'] == facts['images']
        words = 'complete list' if whole else part
        if facts['lines']:
            return f'{words}, and a warning'
        return words if whole else f'**{words}, without a word**'
    after = [f'after {part}'] if facts['listed'] else []
    if '--marker' in facts['message']:
        after.append('and how to go on')
    if facts['seconds'] > LONG:
        after.append(f'in {facts["seconds"]} s')
    return ', '.join([_failure(facts), *after])


def _failure(facts: dict[str, Any]) -> str:
    if facts['exhausted']:
        return '**memory exhausted**'
    if facts['crashed']:
        return f'**traceback** ({facts["message"].partition(":")[0]})'
    if facts['lines'] == 0:
        return '**fails without a word**'
    return 'error' if facts['lines'] == 1 else f'error, {facts["lines"]} lines'


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    versions = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    parts = [
        _INTRODUCTION.format(
            memory=f'{results["memory"] / 2**30:g} GiB',
            patience=results['patience'] // 60,
            many=results['many'],
        ),
        textwrap.fill(
            f'It was run with {versions}.', 79, break_on_hyphens=False
        )
        + '\n',
        *(f'Left out: {reason}.\n' for reason in results['left_out']),
        *(
            _table(results, group, faults)
            for group, faults in results['groups'].items()
        ),
    ]
    return '\n'.join(parts)


def _table(results: dict[str, Any], group: str, faults: list[str]) -> str:
    rows = [[group, *results['subjects']]]
    for fault in faults:
        found = results['outcomes'][fault]
        rows.append(
            [
                fault,
                *(
                    words(found[name]) if name in found else ''
                    for name in results['subjects']
                ),
            ]
        )
    widths = ' '.join(['3', *('2' for _ in results['subjects'])])
    lines = ['.. list-table::', '   :header-rows: 1', f'   :widths: {widths}']
    lines.append('')
    for row in rows:
        first, *others = row
        lines.append(f'   * - {first}')
        lines += [f'     - {cell}'.rstrip() for cell in others]
    return '\n'.join([*lines, ''])
