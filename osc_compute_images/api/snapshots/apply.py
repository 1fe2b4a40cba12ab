# SPDX-License-Identifier: Apache-2.0

"""Create the snapshots of a plan, a few at a time::

from osc_compute_images.api.snapshots.apply import apply

for outcome in apply(api, steps, wait=True):
    print(outcome.result, outcome.step.server.name, outcome.image_id)
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import functools
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api import _threads
from osc_compute_images.api.changes._steps import Result
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.snapshots.plan import Action
from osc_compute_images.api.snapshots.plan import Step

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

__all__ = ['Outcome', 'apply']


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a step of a plan of snapshots.

    :param result: ``gone`` if the server no longer exists, ``skipped`` if it
        is busy, or if the plan skips it
    :param image_id: of the new image, as far as is known
    :param reason: why it was skipped, or what failed
    :param error: for :attr:`.Result.FAILED`
    :param time: when it was known, UTC
    """

    step: Step
    result: Result
    image_id: str | None = None
    reason: str = ''
    error: _errors.ImagesError | None = None
    time: datetime.datetime = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC),
        compare=False,
    )


def apply(
    api: 'ImagesAPI',
    steps: Sequence[Step],
    *,
    properties: Mapping[str, str] | None = None,
    parallel: int = 1,
    wait: bool = False,
    timeout: float | None = None,
    on_poll: Callable[[Step, Image], object] | None = None,
    on_begin: Callable[[Step], object] | None = None,
    on_create: Callable[[Step, str], object] | None = None,
) -> Iterator[Outcome]:
    """Create snapshots, and yield an outcome for each step, as it is known.

    An error for one server does not stop the others. Nova does not record the
    server of a snapshot of a volume-backed one: its property ``instance_uuid``
    is set.

    :param properties: of the images
    :param parallel: number of snapshots at a time; with ``wait``, until they
        are ACTIVE: each costs the hypervisor
    :param wait: wait until the images are ACTIVE
    :param timeout: seconds for each wait
    :param on_poll: called, in a thread, with the image after each poll
    :param on_begin: called, in a thread, before the request
    :param on_create: called, in a thread, with the ID of a new image
    """

    def outcome(step: Step) -> Outcome:
        if step.action is Action.SKIP:
            return Outcome(
                step=step, result=Result.SKIPPED, reason=step.reason
            )
        image_id = None
        try:
            if on_begin is not None:
                on_begin(step)
            image_id = api.create_snapshot(
                step.server,
                step.name,
                properties={**_server_of(step.server), **(properties or {})},
            )
            if on_create is not None:
                on_create(step, image_id)
            if wait:
                api.wait_for(
                    image_id,
                    timeout=timeout,
                    on_poll=on_poll and functools.partial(on_poll, step),
                )
        except _errors.ServerNotFound as e:
            return Outcome(step=step, result=Result.GONE, reason=str(e))
        except _errors.Conflict as e:
            return Outcome(step=step, result=Result.SKIPPED, reason=str(e))
        except _errors.ImagesError as e:
            return Outcome(
                step=step,
                result=Result.FAILED,
                image_id=image_id,
                reason=str(e),
                error=e,
            )
        return Outcome(step=step, result=Result.DONE, image_id=image_id)

    yield from _threads.map_in_threads(
        steps, outcome, parallel=parallel, ordered=False
    )


def _server_of(server: Server) -> dict[str, str]:
    """Return the property that Nova lacks, so that the image is found."""
    return {'instance_uuid': server.id} if server.is_volume_backed else {}
