# SPDX-License-Identifier: Apache-2.0

"""Finding the endpoint of an adapter, and the versions that it serves."""

import dataclasses
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api import _json
from osc_compute_images.api.http import _answer
from osc_compute_images.api.http import _endpoint
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import _versions
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.api.http._fault import Fault
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._request import send_once


class Locator:
    """Finds where requests go, each time anew.

    The adapter may be given another user, region or override at any time.
    What is remembered is where below a URL the images are.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._known: dict[str, Endpoint] = {}

    def found(self, _end: float = math.inf) -> str | Fault:
        """Find the URL of the service, and a token where there is none."""
        began = time.monotonic()
        try:
            return _endpoint.find(self._adapter)
        except _exceptions.FOREIGN as e:
            waited = time.monotonic() - began
            fault = _exceptions.of_exception(e, 'Keystone', waited)
        retried = _retry.of_session(self._adapter)
        if fault.kind is Kind.CONNECTION and retried:
            # keystoneauth has retried it already.
            return fault._replace(kind=Kind.LASTING)
        return fault

    def where(self, end: float) -> Endpoint | Fault:
        """Find where the images are.

        A URL that names its version is used as it is: to ask the service for
        its versions would cost a request, and the way may be barred.
        """
        url = self.found(end)
        if isinstance(url, Fault):
            return url
        known = self._known.get(url)
        if known is None:
            known = _endpoint.parse(url)
            if not _endpoint.version_root(known.url, self._project_id()):
                document = self._version_document(known, end)
                if isinstance(document, Fault):
                    return document
                known = known.below(_versions.path_of_version(document))
            self._known[url] = known
        return known

    def _version_document(self, where: Endpoint, end: float) -> Any:
        """Return the document, or None if there is none, or a fault."""

        def ask(**arguments: Any) -> bytes | Fault:
            return send_once(
                self._adapter,
                *('GET', f'{where.url}/', where, end, arguments),
                accepted=(_answer.CHOICE,),
            )

        outcome = ask(authenticated=False)
        if isinstance(outcome, Fault) and outcome.error.status == 401:
            outcome = ask()
        if not isinstance(outcome, Fault):
            return _json.load_or_none(outcome)
        error = outcome.error
        is_answer = isinstance(
            error, (_errors.HTTPError, _errors.InvalidResponse)
        )
        not_now = {401, *_retry.Settings.of(self._adapter).statuses}
        return None if is_answer and error.status not in not_now else outcome

    def version_document_of(self, url: str, end: float) -> Any:
        """Return the document about the version of an endpoint."""
        where = _endpoint.parse(url)
        root = _endpoint.version_root(where.url, self._project_id())
        where = dataclasses.replace(where, url=root or where.url)
        return self._version_document(where, end)

    def _project_id(self) -> str | None:
        try:
            return self._adapter.get_project_id()
        except Exception:  # noqa: BLE001 - it is a plugin's, and only a help
            return None
