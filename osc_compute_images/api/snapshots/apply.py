# SPDX-License-Identifier: Apache-2.0

"""Create the snapshots of a plan, a few at a time."""

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
    :param on_poll: called with the image after each poll; all in a thread
    :param on_begin: called before the request
    :param on_create: called with the ID of a new image
    """

    def outcome(step: Step) -> Outcome:
        made = functools.partial(Outcome, step=step)
        if step.action is Action.SKIP:
            return made(result=Result.SKIPPED, reason=step.reason)
        metadata = dict(properties or {})
        if step.server.is_volume_backed:
            metadata.setdefault('instance_uuid', step.server.id)
        image_id = None
        try:
            if on_begin is not None:
                on_begin(step)
            image_id = api.create_snapshot(
                step.server, step.name, properties=metadata
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
            return made(result=Result.GONE, reason=str(e))
        except _errors.Conflict as e:
            return made(result=Result.SKIPPED, reason=str(e))
        except _errors.ImagesError as e:
            return made(
                result=Result.FAILED, image_id=image_id, reason=str(e), error=e
            )
        return made(result=Result.DONE, image_id=image_id)

    # NOTE: nothing is sent before the first outcome is taken.
    yield from _threads.map_in_threads(
        steps, outcome, parallel=parallel, ordered=False
    )
