# SPDX-License-Identifier: Apache-2.0

"""Which responses are successes."""

import pytest

from osc_compute_images import api as images
from testbed import nova

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
ITEM = f'{ONE}/metadata/a'
HTML = '<html><body>Please log in</body></html>'


def delete(api, url):
    if url == ONE:
        api.delete(ID)
    else:
        api.delete_metadata_item(ID, 'a')


@pytest.mark.parametrize('url', [ONE, ITEM])
@pytest.mark.parametrize(
    ('status', 'body'),
    [
        (200, ''),
        (200, '{}'),
        (202, ''),
        (202, '{"job": "accepted"}'),
        (204, ''),
        (205, ''),
    ],
)
def test_successful_deletions(api, http, url, status, body):
    http.delete(url, status_code=status, text=body)
    delete(api, url)


@pytest.mark.parametrize('url', [ONE, ITEM])
@pytest.mark.parametrize(
    ('status', 'body'),
    [
        (200, HTML),
        (200, '{"error": "no"}'),
        (200, 'OK'),
        (201, ''),
        (206, ''),
        (207, ''),
        (226, ''),
        (300, ''),
        (304, ''),
        (299, ''),
    ],
)
def test_unexpected_responses_to_deletions(api, http, url, status, body):
    http.delete(url, status_code=status, text=body)
    # The image still exists.
    http.get(ONE, json={'image': nova.image(1)})
    with pytest.raises(images.InvalidResponse) as caught:
        delete(api, url)
    assert caught.value.http_status == status
    assert 'DELETE' in str(caught.value)


@pytest.mark.parametrize(
    ('status', 'body'), [(200, HTML), (206, '{}'), (300, '{}'), (207, '{}')]
)
def test_unexpected_responses_to_changes(api, http, status, body):
    http.put(ITEM, status_code=status, text=body)
    http.post(f'{ONE}/metadata', status_code=status, text=body)
    with pytest.raises(images.InvalidResponse):
        api.set_metadata_item(ID, 'a', 'b')
    with pytest.raises(images.InvalidResponse):
        api.update_metadata(ID, {'a': 'b'})


@pytest.mark.parametrize('status', [201, 202, 204, 206, 226, 300, 304])
def test_unexpected_responses_to_lists(api, http, status):
    http.get(nova.DETAIL, status_code=status, json=nova.page([]))
    with pytest.raises(images.InvalidResponse) as caught:
        list(api.list_detail())
    assert caught.value.http_status == status


def test_list_may_have_status_203(api, http):
    http.get(nova.DETAIL, status_code=203, json=nova.page(nova.images(1)))
    assert [image.id for image in api.list_detail()] == [ID]
