# SPDX-License-Identifier: Apache-2.0

"""Write the page of the documentation from results.json."""

from collections.abc import Iterator
import json
import pathlib
import textwrap
from typing import Any

from robustness.deletions import CHOSEN

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / 'results.json'
PAGE = HERE.parent / 'doc/source/faults.rst'

#: Seconds: the page reports the time of longer runs.
LONG = 60

_INTRODUCTION = """\
======
Faults
======

.. Made by "./run faults" from robustness/results.json: don't edit.

How clients list images if a server is hostile, broken or busy. Each cell is a
run of the real program, in its own process, against a canned cloud with this
one fault:

* this plugin: ``openstack compute image list``
* openstacksdk: a short program that uses ``compute.images()``, with the
  defaults of the library
* gophercloud: a short program that uses ``images.ListDetail``
* ``openstack image list``, which uses Glance; its canned server has the same
  fault

The cloud has 6 images, in pages of 2 where pages matter. The faults *while
listing* are on the second page. An error has one line, unless the cell says
otherwise; ``openstack`` prints one line for any exception, so it may say
little. Each process may use {memory} of memory. It is stopped after a minute,
after {patience} minutes if the server is slow, or when it has requested {many}
pages. **Bold** cells are failures: the token is sent to another host or host
name, images of another server are listed, the list is incomplete without an
error, images are listed twice, the program does not end, runs out of memory or
prints a traceback, a name controls the terminal, or a write succeeds but
changes nothing, or is sent to an image that was not selected. The *writes*
delete an image or set a property; the server does not carry them out. The
*deletions by choice* select {chosen} images by a pattern of their names:

* this plugin: ``openstack compute image delete --name-pattern``
* openstacksdk and gophercloud: a short program that lists all images, and
  deletes those that match
* ``openstack image list``: ``openstack image list | grep ... | xargs
  openstack image delete``

``./run faults`` repeats all runs, and writes this page and
``robustness/results.json``, which has the messages. gophercloud is built from
its Debian package.
"""


def load() -> dict[str, Any]:
    """Return the results."""
    results: dict[str, Any] = json.loads(RESULTS.read_text('utf-8'))
    return results


def write(results: dict[str, Any]) -> None:
    """Write the results and the page."""
    text = json.dumps(results, indent=2, ensure_ascii=False)
    RESULTS.write_text(text + '\n', 'utf-8')
    PAGE.write_text(page(results), 'utf-8')


def words(facts: dict[str, Any]) -> str:
    """Return the text of a cell."""
    return '; '.join(_words(facts))


def _words(facts: dict[str, Any]) -> Iterator[str]:
    if facts['elsewhere']:
        yield '**token sent there**'
    # NOTE: the results of lists may be older than those of writes.
    if facts.get('chosen'):
        yield from _deleted(facts)
        return
    if facts.get('write'):
        if facts['code'] is None:
            yield _end(facts)
        elif facts['code'] == 0:
            yield '**success, but nothing changed**'
        else:
            yield _failure(facts)
        return
    if facts['strange']:
        yield '**lists foreign images**'
        return
    if facts['acts'] is not None and facts['code'] == 0:
        yield '**controls the terminal**' if facts['acts'] else 'escaped'
        return
    if facts['twice'] and not facts['endless']:
        yield '**duplicate images**'
    yield _end(facts)


def _deleted(facts: dict[str, Any]) -> Iterator[str]:
    if facts['astray']:
        yield '**deletes something else**'
    part = f'{facts["deleted"]} of {facts["chosen"]} deleted'
    if facts['code'] is None:
        yield f'**still waiting after {facts["seconds"]} s**, {part}'
    elif facts['code'] != 0:
        yield f'{_failure(facts)}, {part}'
    elif facts['deleted'] < facts['chosen'] and facts.get('kept'):
        yield f'{part}, and the reason for the other'
    elif facts['deleted'] < facts['chosen']:
        yield f'**{part}, without an error**'
    else:
        yield 'all deleted'


def _end(facts: dict[str, Any]) -> str:
    if facts['endless']:
        return '**requests pages forever**'
    if facts['code'] is None:
        return f'**still waiting after {facts["seconds"]} s**'
    part = f'{facts["listed"]:,} of {facts["images"]:,}'
    if facts['code'] == 0:
        whole = facts['listed'] == facts['images']
        words = 'complete list' if whole else part
        if facts['lines']:
            return f'{words}, and a warning'
        return words if whole else f'**{words}, no error**'
    after = [f'after {part}'] if facts['listed'] else []
    if '--marker' in facts['message']:
        after.append('says how to resume')
    if facts['seconds'] > LONG:
        after.append(f'in {facts["seconds"]} s')
    return ', '.join([_failure(facts), *after])


def _failure(facts: dict[str, Any]) -> str:
    if facts['exhausted']:
        return '**memory exhausted**'
    if facts['crashed']:
        return f'**traceback** ({facts["message"].partition(":")[0]})'
    if facts['lines'] == 0:
        return '**fails without a message**'
    return 'error' if facts['lines'] == 1 else f'error, {facts["lines"]} lines'


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    versions = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    parts = [
        _INTRODUCTION.format(
            memory=f'{results["memory"] / 2**30:g} GiB',
            patience=results['patience'] // 60,
            many=results['many'],
            chosen=CHOSEN,
        ),
        textwrap.fill(f'Versions: {versions}.', 79, break_on_hyphens=False)
        + '\n',
        *(f'Omitted: {reason}.\n' for reason in results['left_out']),
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
