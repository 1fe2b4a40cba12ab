# SPDX-License-Identifier: Apache-2.0

"""Deadlines of logins and requests."""

import socket

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1.identity import generic
from keystoneauth1.identity import v3
import pytest

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import WaitTimedOut
from testbed import nova

#: Far more seconds than a test takes, and the timeout of the session.
HANG, LONG = 120, 1000

LOGIN = {
    'username': 'demo',
    'password': 'secret',
    'project_name': 'demo',
    'user_domain_name': 'Default',
    'project_domain_name': 'Default',
}
ONE = f'{nova.ENDPOINT}/images/{nova.image_id(1)}'


@pytest.fixture
def mute():
    """Provide the URL of a server that accepts and never answers."""
    with socket.create_server(('127.0.0.1', 0), backlog=64) as listener:
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'


@pytest.mark.timeout(HANG)
@pytest.mark.parametrize('kind', [v3.Password, generic.Password])
@pytest.mark.parametrize('settings', [{}, {'connect_retries': 9}])
@pytest.mark.parametrize('override', [None, nova.ENDPOINT])
def test_wait_ends_while_keystone_is_mute(mute, kind, settings, override):
    auth = kind(f'{mute}/v3', **LOGIN)
    below = session.Session(auth, timeout=LONG, **settings)
    compute = adapter.Adapter(
        below, service_type='compute', endpoint_override=override
    )
    with pytest.raises(WaitTimedOut, match='before the image was seen'):
        ImagesAPI(compute).wait_for('x', timeout=0.2)
    assert below.timeout == LONG


@pytest.mark.timeout(HANG)
def test_wait_ends_while_the_token_is_renewed(http, compute, mute):
    # Compute rejects the token that was fine before, and Keystone hangs.
    compute.session.timeout = LONG
    saving = {'image': nova.image(1, status='SAVING')}
    http.get(ONE, [{'json': saving}, {'status_code': 401}])
    api = ImagesAPI(compute)
    image = api.get(nova.image_id(1))
    compute.session.auth.auth_url = f'{mute}/v3'
    http.post(f'{mute}/v3/auth/tokens', real_http=True)
    with pytest.raises(WaitTimedOut, match='is still SAVING'):
        api.wait_for(image, timeout=1)
