# SPDX-License-Identifier: Apache-2.0

"""Deletions by choice on faulty clouds; ``faults.py`` has the faults.

The functional tests run lists and writes on other faults.
"""

from osc_lib import exceptions
import pytest

from osc_compute_images import api as images
from osc_compute_images.commands.delete import DeleteComputeImage
from testbed import nova
from testbed.fleet import Fleet
from tests.unit.changes.faults import DELETIONS
from tests.unit.changes.faults import FOREIGN
from tests.unit.changes.faults import ID
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import run

SELECTED = ('--name-pattern=cirros-[0-4]', '--auto-approve')


@pytest.mark.parametrize('fault', DELETIONS.values(), ids=DELETIONS)
def test_only_selected_images_are_deleted(
    http, slept, tmp_path, caplog, fault
):
    fleet = Fleet(nova.images(*range(6))).serve(http)
    fault.wrong(fleet, http)
    app = App(tmp_path)
    try:
        code, told = run(app, DeleteComputeImage, '-f', 'json', *SELECTED)
    except exceptions.CommandError as e:
        code, told = 1, str(e)
    assert code == fault.code
    assert fault.says in told + caplog.text
    assert sorted(map(ID.index, fleet.images)) == [*fault.left]
    writes = {line for line in sent(http) if not line.startswith('GET ')}
    assert writes <= {f'DELETE /v2.1/images/{image_id}' for image_id in ID[:5]}


def test_redirect_from_https_to_http_is_not_followed(http, api):
    set_catalog(http, {'RegionOne': nova.ENDPOINT.replace('http:', 'https:')})
    http.get(
        nova.DETAIL.replace('http:', 'https:'),
        status_code=302,
        headers={'Location': f'{FOREIGN}/images/detail'},
    )
    with pytest.raises(images.InvalidResponse, match='redirects'):
        list(api.list_detail())
