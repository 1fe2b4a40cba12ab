# SPDX-License-Identifier: Apache-2.0

"""The images API: lists, finds, waits for, changes and deletes images."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _apply
from osc_compute_images.api.changes._plan import Plan
from osc_compute_images.api.changes._steps import Outcome
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.images import _routes
from osc_compute_images.api.images._metadata import MetadataAPI
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.images._servers import ServersAPI
from osc_compute_images.api.images._visibility import VisibilityAPI
from osc_compute_images.api.images._wait import WaitingAPI
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageID
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers import _reader
from osc_compute_images.api.servers import fleet
from osc_compute_images.text import without_credentials


class ImagesAPI(
    MetadataAPI, VisibilityAPI, WaitingAPI, ServersAPI, ReadingAPI
):
    """The images API of the Compute service.

    :param adapter: a keystoneauth1 adapter of the Compute service, such as
        the ``compute`` of an openstacksdk connection. Its default
        microversion is ignored: requests for images use 2.1
    :ivar adapter: the adapter
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        if not isinstance(adapter, ksa_adapter.Adapter):
            raise TypeError(
                f'ImagesAPI takes an adapter of the Compute service, not '
                f'{type(adapter).__name__}: use keystoneauth1.adapter.Adapter('
                f"session, service_type='compute'), or the compute attribute "
                f'of an openstacksdk connection'
            )
        self.adapter = adapter
        self._http = Client(adapter)
        self._routes = _routes.Routes(self._http)
        self._servers = _reader.ServerReader(self._http)

    def __repr__(self) -> str:
        where = self.adapter.endpoint_override or self.adapter.region_name
        shown = without_credentials(where or '')
        return f'<ImagesAPI in {shown}>' if shown else '<ImagesAPI>'

    @property
    def last_request_id(self) -> str | None:
        """ID of the last change, in the logs of Compute, if it succeeded."""
        return self._http.request_id

    def delete(self, image: ImageID, *, ignore_missing: bool = False) -> None:
        """Delete an image.

        https://docs.openstack.org/api-ref/compute/#delete-image

        After an error the image is read again: if it is gone, it has been
        deleted. A response may be lost, and of two deletions at the same time
        the Image service may refuse one.

        :param ignore_missing: do nothing if there is none; unlike in
            openstacksdk, False by default
        :raises ImageNotFound: if it does not exist, or is not visible
        :raises Forbidden: if it is protected or of another project, or the
            role does not allow it
        """
        image_id = id_of(image)
        try:
            self._routes.image('DELETE', image_id)
        except _errors.ImageNotFound:
            if not ignore_missing:
                raise
        except _errors.Unauthorized:
            # NOTE: nothing can be read with the same token.
            raise
        except _errors.ImagesError:
            try:
                is_gone = self._get(image_id, fresh=True).state == 'DELETED'
            except _errors.ImagesError as e:
                # NOTE: otherwise it is unknown.
                is_gone = isinstance(e, _errors.ImageNotFound)
            if not is_gone:
                raise

    def usage(
        self,
        images: Iterable[Image] | None = None,
        *,
        accept_gaps: bool = False,
    ) -> Usage:
        """Determine which images are in use, and by what.

        Lists all images, and the servers of all regions that share the Image
        service. All servers are held in memory, but not the images.

        :param images: all that can be seen, if they have been listed. A
            listing itself (a :class:`.Pager`) also tells its entries that are
            no images, and are gaps
        :param accept_gaps: see :class:`.Usage`
        :raises ImagesError: if a listing cannot be completed
        """
        # NOTE: images before servers, so that an image that a server is
        # booted from in between is used.
        if images is None:
            images = self.list_detail()
        of_images = Usage(ServerList(()), images, accept_gaps=accept_gaps)
        servers = fleet.Fleet([self])
        servers.refresh()
        return of_images.with_servers(servers.servers(self))

    def apply(
        self,
        plan: Plan,
        *,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Sequence[Outcome]:
        """Apply a plan, and return the outcome for each image.

        Each image is read again before it is changed, and skipped if its
        status, name, size or update time differs from the plan. It is deleted
        only if the plan still does not protect it, given the current servers
        (see :meth:`.Fleet.refresh` for their age), and if the image that is
        kept instead is ACTIVE. Of images that were named, only the servers
        are read again, after the first deletion.

        An error for one image is reported in its outcome, and the next image
        follows. A plan can be applied again.

        :param plan: made by :mod:`.changes.plan`
        :param on_outcome: called with each outcome, as soon as it is known: if
            the call is interrupted, it has been told what was done
        :returns: the outcomes, in the order of the steps
        """
        protection = plan.protection
        servers = fleet.Fleet(
            [self],
            all_projects=protection is not None
            and not protection.usage.unknown.other_projects,
        )
        servers.is_just_read = plan.named
        outcomes = []
        for outcome in _apply.apply(self, plan, servers):
            outcomes.append(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
        return outcomes
