# SPDX-License-Identifier: Apache-2.0

"""Run each subject on each fault, and record the outcome.

Each run has its own process, with limits of time and memory, and its own
servers. With words as arguments, only the faults whose names contain one of
them are run; the other results are kept.
"""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import ssl
import sys
import tempfile

from benchmarks import golang
from robustness import report
from robustness.catalogue import Fault
from robustness.catalogue import GROUPS
from robustness.catalogue import PATIENT
from robustness.deletions import CHOSEN
from robustness.deletions import deleting
from robustness.outcome import MANY
from robustness.outcome import MEMORY
from robustness.outcome import Outcome
from robustness.outcome import outcome
from robustness.outcome import run
from robustness.scene import Scene
from robustness.scene import stage
from robustness.scene import STRANGE
from robustness.subjects import Subject
from robustness.subjects import subjects
from robustness.subjects import versions
from testbed import canned_cloud
from testbed.faults import self_signed

#: Seconds: a run with a longer timeout mostly waits, without CPU time.
LONG = 60


def meet(subject: Subject, fault: Fault) -> Outcome:
    """Run a subject on a cloud with a fault."""
    scene = Scene(subject.api, fault.images, fault.page)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory())
        )
        context, trust = None, {}
        if fault.tls:
            pem = self_signed(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            # Each subject reads another variable.
            for name in ('OS_CACERT', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'):
                trust[name] = str(pem)
        server = stack.enter_context(
            stage(
                scene,
                fault.wrong,
                context,
                unversioned=fault.unversioned,
                single=deleting(scene) if fault.write else None,
            )
        )
        inherited = {k: v for k, v in os.environ.items() if k[:3] != 'OS_'}
        end = run(
            command_of(subject, fault, scene.ids[0]),
            {
                **inherited,
                'PYTHONWARNINGS': 'ignore',
                **canned_cloud.environment(server),
                **canned_cloud.configuration(server, folder, **fault.settings),
                **trust,
            },
            fault.seconds,
            scene.pages_asked,
            terminal=bool(fault.shown),
        )
        became = outcome(
            end,
            scene.ids,
            canned_cloud.image(STRANGE)['id'],
            fault.shown,
            elsewhere=scene.secret_went_elsewhere(),
            write=bool(fault.write),
        )
        if fault.write != 'choice':
            return became
        return dataclasses.replace(
            became,
            chosen=CHOSEN,
            deleted=len(scene.deleted.intersection(scene.ids[:CHOSEN])),
            astray=bool(scene.writes_astray(CHOSEN)),
        )


def command_of(subject: Subject, fault: Fault, image_id: str) -> Sequence[str]:
    """Return the command to run on a fault."""
    if fault.write == 'choice':
        return subject.writing['choice']
    if fault.write:
        return [*subject.writing[fault.write], image_id]
    return subject.table if fault.shown else subject.asking(fault.limit)


def can_meet(subject: Subject, fault: Fault) -> bool:
    """Return whether the subject supports what the fault needs."""
    if fault.shown and not subject.table:
        return False
    if fault.write and fault.write not in subject.writing:
        return False
    return subject.configured or not fault.settings


def met(
    faults: list[Fault], who: list[Subject], jobs: int
) -> Iterator[tuple[Fault, Subject, Outcome]]:
    """Run each subject on each fault, several at a time."""
    with (
        concurrent.futures.ThreadPoolExecutor(jobs) as few,
        concurrent.futures.ThreadPoolExecutor(32) as many,
    ):
        runs = {
            (many if fault.seconds > LONG else few).submit(
                meet, subject, fault
            ): (fault, subject)
            for fault in faults
            for subject in who
            if can_meet(subject, fault)
        }
        for done in concurrent.futures.as_completed(runs):
            yield *runs[done], done.result()


def main() -> None:
    """Write the results, and the table of the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('words', nargs='*')
    parser.add_argument(
        '--jobs', type=int, default=2, help='processes at a time'
    )
    args = parser.parse_args()
    faults = [
        fault
        for of_group in GROUPS.values()
        for fault in of_group
        if not args.words or any(word in fault.name for word in args.words)
    ]
    before = report.load() if args.words else {'outcomes': {}}
    with tempfile.TemporaryDirectory() as folder:
        who = subjects(pathlib.Path(folder))
        names = [subject.name for subject in who]
        found = before['outcomes']
        for fault, subject, became in met(faults, who, args.jobs):
            facts = dataclasses.asdict(became)
            found.setdefault(fault.name, {})[subject.name] = facts
            words = report.words(facts)
            print(f'{subject.name}: {fault.name}: {words}', file=sys.stderr)
    go = 'gophercloud' in names
    about = {
        'versions': versions(go=go),
        'left_out': [] if go else [f'gophercloud: {golang.MISSING}'],
    }
    if args.words:
        # A subject that is missing now has results for other faults.
        names = before['subjects']
        about = {key: before[key] for key in about}
    report.write(
        {
            **about,
            'memory': MEMORY,
            'patience': PATIENT,
            'many': MANY,
            'subjects': names,
            'groups': {
                group: [fault.name for fault in of_group]
                for group, of_group in GROUPS.items()
            },
            'outcomes': {
                fault.name: {
                    name: found[fault.name][name]
                    for name in names
                    if name in found.get(fault.name, {})
                }
                for of_group in GROUPS.values()
                for fault in of_group
            },
        }
    )


if __name__ == '__main__':
    main()
