# SPDX-License-Identifier: Apache-2.0

"""A command whose login never ends."""

import json
import logging
import socket

import pytest

from osc_compute_images.commands import show


@pytest.mark.timeout(120)
@pytest.mark.parametrize('words', [[], ['--region', 'RegionOne']])
def test_show_ends_while_keystone_is_mute(tmp_path, monkeypatch, words):
    # NOTE: imported here, because it is slow.
    from openstackclient import shell

    clouds = tmp_path / 'clouds.yaml'
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(clouds))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # It accepts, and never answers.
    with socket.create_server(('127.0.0.1', 0)) as listener:
        cloud = {
            'auth': {
                'auth_url': 'http://127.0.0.1:{1}'.format(
                    *listener.getsockname()
                ),
                'username': 'demo',
                'password': 'secret',
                'project_name': 'demo',
                'user_domain_name': 'Default',
                'project_domain_name': 'Default',
            },
            'region_name': 'RegionOne',
        }
        # It is YAML, too.
        clouds.write_text(json.dumps({'clouds': {'mute': cloud}}))
        command = ['compute', 'image', 'show', 'x', *words]
        code = shell.OpenStackShell().run(
            ['--os-cloud=mute', *command, '--wait', '--timeout=0.3']
        )
    root.handlers[:] = handlers
    root.setLevel(level)
    assert code == show.EXIT_TIMEOUT
