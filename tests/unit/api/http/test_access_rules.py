# SPDX-License-Identifier: Apache-2.0

"""The error for a request that access rules do not allow."""

import re

from keystoneauth1 import fixture
import pytest
from requests_mock import ANY

from osc_compute_images import api as images
from testbed import nova

ID = nova.image_id(1)


@pytest.mark.parametrize(
    ('call', 'rule'),
    [
        (lambda api: api.delete(ID), 'DELETE /v2.1/images/{image_id}'),
        (lambda api: list(api.list_detail()), 'GET /v2.1/images/detail'),
        (
            lambda api: api.delete_metadata_item(ID, 'a'),
            'DELETE /v2.1/images/{image_id}/metadata/{key}',
        ),
        (
            lambda api: api.create_snapshot(ID, 'name'),
            'POST /v2.1/servers/{server_id}/action',
        ),
        (
            lambda api: api.find_flavor('m1.tiny'),
            'GET /v2.1/flavors/{flavor_id}',
        ),
    ],
)
@pytest.mark.parametrize('rules', [[{'path': '/'}], None])
def test_forbidden_by_access_rules(api, http, ksa_session, call, rule, rules):
    token = fixture.V3Token()
    token.set_project_scope()
    token.add_service('compute').add_endpoint('public', nova.ENDPOINT)
    token.set_application_credential('an ID', rules)
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        json=token,
        headers={'X-Subject-Token': nova.TOKEN},
    )
    refused = []

    def refuse(request, context):
        context.status_code = 401
        context.headers['X-Openstack-Request-Id'] = 'req-1'
        refused.append(request.method)
        # As another thread may do, with the same login.
        ksa_session.invalidate()
        return {'error': {'message': 'Log in.'}}

    http.register_uri(ANY, re.compile(nova.ENDPOINT), json=refuse)
    with pytest.raises(images.Unauthorized) as error:
        call(api)
    reason = 'The access rules of the application credential may not allow '
    assert str(error.value) == (
        f'{f"{reason}{rule}: " if rules else ""}Log in. (HTTP 401) '
        f'(Request-ID: req-1)'
    )
    assert refused == [rule.partition(' ')[0]] * 2
