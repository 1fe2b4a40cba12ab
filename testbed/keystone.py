# SPDX-License-Identifier: Apache-2.0

"""What Keystone sends."""

from collections.abc import Mapping
import datetime
from typing import Any

from keystoneauth1 import fixture

from testbed.records import PROJECT


def token(
    compute: Mapping[str, str],
    image: Mapping[str, str] | None = None,
    **fields: Any,
) -> fixture.V3Token:
    """Return a token of an hour.

    :param compute: the URL of Compute, by region
    :param image: the URL of Image, by region
    :param fields: replace those of the token
    """
    now = datetime.datetime.now(datetime.UTC)
    made = fixture.V3Token(
        expires=now + datetime.timedelta(hours=1),
        user_id='u' * 32,
        user_name='demo',
        user_domain_id='default',
        user_domain_name='Default',
        methods=['password'],
    )
    made.set_project_scope(PROJECT, 'demo', 'default', 'Default')
    made.add_role('r', 'member')
    for kind, urls in (('compute', compute), ('image', image or {})):
        if not urls:
            continue
        service = made.add_service(kind, name=kind)
        for region, url in urls.items():
            service.add_standard_endpoints(url, url, url, region or None)
    made['token'].update(fields)
    return made
