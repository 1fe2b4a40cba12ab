# SPDX-License-Identifier: Apache-2.0

"""Handlers for faults of a deletion of images, selected by their names.

All images but the last are selected. A subject that trusts a hostile list, or
follows a redirect, deletes the last image, or sends a write to another host.
"""

from collections.abc import Callable
import dataclasses
import json
from typing import Any

from benchmarks import cloud
from robustness.scene import altered
from robustness.scene import of_document
from robustness.scene import Scene
from testbed import canned_cloud
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

#: Selects images of six by their names.
PATTERN = 'cirros-0.6.2-00000[0-4]'

#: The number of these images: all but the last.
CHOSEN = 5


def is_first(request: Request) -> bool:
    """Return whether a request is for the first page."""
    return not canned_cloud.after_the_first_page(request)


def deleting(scene: Scene) -> Handler:
    """Return and delete single images; there are no servers."""

    def handler(request: Request) -> Response | None:
        if request.path == f'{cloud.NOVA}/servers/detail':
            return Response.of({'servers': []})
        image_id = scene.image_id(request.path)
        if image_id is None:
            return None
        if image_id in scene.deleted:
            return canned_cloud.fault(404, 'itemNotFound', 'Image not found.')
        if request.method == 'DELETE':
            scene.deleted.add(image_id)
            return Response(status=204)
        return Response.of(scene.api.one(scene.ids.index(image_id)))

    return handler


def listing_ids(
    change: Callable[[Scene], str],
) -> Callable[[Scene], Handler]:
    """List the first image with another ID."""

    def wrong(scene: Scene) -> Handler:
        def of_page(page: Any) -> Any:
            page['images'][0]['id'] = change(scene)
            return page

        return altered(scene, of_document(of_page), is_first)

    return wrong


def responding_to_deletions(
    respond: Callable[[Scene, Request, Response | None], Response | None],
) -> Callable[[Scene], Handler]:
    """Change the response to the deletion of the second image.

    :param respond: takes the right response; the image is deleted
    """

    def wrong(scene: Scene) -> Handler:
        right = deleting(scene)

        def handler(request: Request) -> Response | None:
            second = scene.image_id(request.path) == scene.ids[1]
            if request.method != 'DELETE' or not second:
                return None
            return respond(scene, request, right(request))

        return handler

    return wrong


def refusing(response: Response) -> Callable[[Scene], Handler]:
    """Do not delete the second image, and return this response."""

    def refuse(
        scene: Scene, _request: Request, _right: Response | None
    ) -> Response:
        scene.deleted.discard(scene.ids[1])
        return response

    return responding_to_deletions(refuse)


def redirecting(target: Callable[[Scene], str]) -> Callable[[Scene], Handler]:
    """Redirect the deletion of the second image to a URL."""

    def redirect(
        scene: Scene, _request: Request, _right: Response | None
    ) -> Response:
        scene.deleted.discard(scene.ids[1])
        return Response(status=307, headers={'Location': target(scene)})

    return responding_to_deletions(redirect)


def losing_the_response(
    _scene: Scene, _request: Request, right: Response | None
) -> Response | None:
    """Delete the second image, and reset the connection."""
    if right is None or right.status != 204:
        return right
    return dataclasses.replace(right, send=canned_cloud.reset)


def renamed(scene: Scene) -> Handler:
    """Return the second image with another name than in the list."""

    def handler(request: Request) -> Response | None:
        second = scene.image_id(request.path) == scene.ids[1]
        if request.method != 'GET' or not second:
            return None
        text = json.dumps(scene.api.one(1))
        name = canned_cloud.image(1)['name']
        return Response(text.replace(name, 'precious').encode())

    return handler


def gone(scene: Scene) -> Handler:
    """Delete the second image after it is listed."""
    right = deleting(scene)

    def handler(request: Request) -> Response | None:
        if scene.image_id(request.path) == scene.ids[1]:
            scene.deleted.add(scene.ids[1])
            return right(request)
        return None

    return handler
