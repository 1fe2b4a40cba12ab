# SPDX-License-Identifier: Apache-2.0

"""The limit of images that are held in memory."""

from osc_lib import exceptions
import pytest

from osc_compute_images.output import bounds
from testbed import nova


@pytest.fixture
def endless(http, monkeypatch):
    """Serve another page of images for every request."""
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 25)
    count = 0

    def page(_request, _context):
        nonlocal count
        count += 10
        if count > 100:
            raise AssertionError('Too many requests')
        return nova.page(nova.images(*range(count, count + 10)), nova.DETAIL)

    http.get(nova.DETAIL, json=page)


@pytest.mark.parametrize(
    'words', ['', '-f json', '-f value --sort-column Name']
)
def test_formats_that_hold_all_images_are_limited(endless, app, words):
    with pytest.raises(exceptions.CommandError, match='--max-items'):
        app.run('list', *words.split())


@pytest.mark.parametrize(
    ('option', 'count'), [('--max-items', 60), ('--limit', 30)]
)
def test_max_items_and_limit_raise_the_limit(endless, app, option, count):
    assert len(app.listed(option, str(count))) == count


@pytest.mark.parametrize('form', ['csv', 'jsonl', 'value'])
def test_streamed_formats_are_not_limited(endless, app, form):
    with pytest.raises(AssertionError, match='Too many'):
        app.run('list -f', form)
    assert app.stdout.getvalue().count('cirros-') == 100


def test_lists_up_to_the_limit_are_shown(app, http, monkeypatch):
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 25)
    http.get(nova.DETAIL, json=nova.page(nova.images(*range(25))))
    assert len(app.listed()) == 25
