# SPDX-License-Identifier: Apache-2.0

"""Whether an answer is a success, by RFC 9110. It does no I/O."""

from collections.abc import Mapping
import dataclasses

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import _words
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import marked

#: Statuses of success. 206 is a part of what was asked for, 300 a choice.
_SUCCESSES = {
    'GET': (200, 203),
    'POST': (200, 201, 202, 203, 204),
    'PUT': (200, 201, 202, 203, 204),
    'DELETE': (200, 202, 203, 204, 205),
}

#: Of these there is more than one version.
CHOICE = 300

_REDIRECTS = (301, 302, 303, 307, 308)

# Bodies that say nothing.
_NOTHING = (b'', b'{}', b'null')


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer to a request.

    :param url: that it came from
    :param headers: with names in any case
    """

    method: str
    url: str
    status: int
    reason: str | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request, if it has told one."""
        for name in ('x-openstack-request-id', 'x-compute-request-id'):
            if self.headers.get(name):
                return _words.one_line(self.headers[name])
        return None


def judge(answer: Answer, accepted: tuple[int, ...] = ()) -> bytes:
    """Return the body of a success.

    :param accepted: statuses that mean success here besides the usual ones
    :raises ImagesError: if it is none
    """
    status = answer.status
    if status >= 400:
        raise _refusal(answer)
    if status in (*_SUCCESSES[answer.method], *accepted):
        if answer.method != 'GET' and _is_foreign(answer):
            raise _no_answer(
                answer,
                f'{answer.method} was answered with status {status} and a '
                f'body that is not of the images API; it may have been done '
                f'or not',
            )
        return answer.body
    url = _words.one_line(answer.url)
    if status in _REDIRECTS:
        target = answer.headers.get('location') or 'an unknown place'
        raise _no_answer(
            answer,
            f'{url} redirects to {_words.one_line(target)}; the token is not '
            f'sent there: the endpoint URL of Compute must be the right one '
            f'itself',
        )
    raise _no_answer(
        answer, f'{url} answers {answer.method} with an unexpected status'
    )


def _is_foreign(answer: Answer) -> bool:
    """Tell whether the body is none that this API has."""
    body = answer.body.strip()
    if answer.method == 'DELETE':
        # What is accepted (202) or has no content (204) is what it says.
        return answer.status not in (202, 204) and body not in _NOTHING
    return not (body in _NOTHING or body.startswith(b'{'))


def _no_answer(answer: Answer, message: str) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        message, http_status=answer.status, request_id=answer.request_id
    )


def _refusal(answer: Answer) -> _errors.HTTPError:
    message = _words.message(
        answer.status, answer.headers, answer.body, answer.reason
    )
    return refused(
        answer.status,
        message,
        answer.request_id,
        answer.headers.get('retry-after'),
    )


def refused(
    status: int,
    message: str,
    request_id: str | None,
    retry_after: str | None,
) -> _errors.HTTPError:
    """Make the error of a request that is refused.

    :param message: the server's own words
    :param retry_after: the header of that name
    """
    seconds = _retry.seconds_of(retry_after)
    if seconds is not None and seconds > _retry.MAX_DELAY:
        message = (
            f'{message.rstrip(".")}; the server asks to wait {seconds:.0f} '
            f'seconds'
        )
    kind = Kind.STATUS
    if status == 413 and seconds is None:
        # Without Retry-After it is no 429 of an older Nova.
        kind = Kind.LASTING
    error = _errors.error_for_status(status)(
        message, http_status=status, request_id=request_id
    )
    return marked(error, kind, seconds)
