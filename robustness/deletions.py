# SPDX-License-Identifier: Apache-2.0

"""A cloud whose images are deleted, chosen by their names.

All but the last image are chosen. Whoever believes a hostile list, or follows
what it is told, deletes the last one, or sends a deletion elsewhere.
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

#: What is chosen, of six images.
PATTERN = 'cirros-0.6.2-00000[0-4]'


#: How many images that is: all but the last one.
CHOSEN = 5


def is_first(request: Request) -> bool:
    """Tell whether a request is for the first page."""
    return not canned_cloud.after_the_first_page(request)


def deleting(scene: Scene) -> Handler:
    """Show and delete single images; no server uses any."""

    def handler(request: Request) -> Response | None:
        if request.path == f'{cloud.NOVA}/servers/detail':
            return Response.of({'servers': []})
        image_id = scene.image_id(request.path)
        if image_id is None:
            return None
        if image_id in scene.deleted:
            return canned_cloud.fault(404, 'itemNotFound', 'No such image.')
        if request.method == 'DELETE':
            scene.deleted.add(image_id)
            return Response(status=204)
        return Response.of(scene.api.one(scene.ids.index(image_id)))

    return handler


def listing_ids(
    change: Callable[[Scene], str],
) -> Callable[[Scene], Handler]:
    """Let the list give the first image another ID."""

    def wrong(scene: Scene) -> Handler:
        def of_page(page: Any) -> Any:
            page['images'][0]['id'] = change(scene)
            return page

        return altered(scene, of_document(of_page), is_first)

    return wrong


def responding_to_deletions(
    answer: Callable[[Scene, Request, Response | None], Response | None],
) -> Callable[[Scene], Handler]:
    """Change what is answered when the second image is deleted.

    :param answer: is given what would be answered after the deletion
    """

    def wrong(scene: Scene) -> Handler:
        right = deleting(scene)

        def handler(request: Request) -> Response | None:
            second = scene.image_id(request.path) == scene.ids[1]
            if request.method != 'DELETE' or not second:
                return None
            return answer(scene, request, right(request))

        return handler

    return wrong


def refusing(answer: Response) -> Callable[[Scene], Handler]:
    """Delete the second image never, and answer so."""

    def refuse(
        scene: Scene, _request: Request, _right: Response | None
    ) -> Response:
        scene.deleted.discard(scene.ids[1])
        return answer

    return responding_to_deletions(refuse)


def redirecting(target: Callable[[Scene], str]) -> Callable[[Scene], Handler]:
    """Redirect the deletion of the second image to a place."""

    def redirect(
        scene: Scene, _request: Request, _right: Response | None
    ) -> Response:
        scene.deleted.discard(scene.ids[1])
        return Response(status=307, headers={'Location': target(scene)})

    return responding_to_deletions(redirect)


def losing_the_answer(
    _scene: Scene, _request: Request, right: Response | None
) -> Response | None:
    """Delete the second image, and say nothing."""
    if right is None or right.status != 204:
        return right
    return dataclasses.replace(right, send=canned_cloud.reset)


def renamed(scene: Scene) -> Handler:
    """Show the second image by another name than it is listed with."""

    def handler(request: Request) -> Response | None:
        second = scene.image_id(request.path) == scene.ids[1]
        if request.method != 'GET' or not second:
            return None
        text = json.dumps(scene.api.one(1))
        name = canned_cloud.image(1)['name']
        return Response(text.replace(name, 'precious').encode())

    return handler


def gone(scene: Scene) -> Handler:
    """Delete the second image as soon as it was listed."""
    right = deleting(scene)

    def handler(request: Request) -> Response | None:
        if scene.image_id(request.path) == scene.ids[1]:
            scene.deleted.add(scene.ids[1])
            return right(request)
        return None

    return handler
