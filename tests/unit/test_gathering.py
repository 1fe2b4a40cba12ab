# SPDX-License-Identifier: Apache-2.0

from osc_lib import exceptions
import pytest

from osc_compute_images.commands import _gathering
from osc_compute_images.commands.list import ListComputeImage
from testbed import nova
from tests.unit import test_commands

app = test_commands.app


@pytest.fixture
def never_ending(http, monkeypatch):
    """Have a server that always has another page of images."""
    monkeypatch.setattr(_gathering, 'MAX_GATHERED', 25)
    count = 0

    def page(_request, _context):
        nonlocal count
        count += 10
        if count > 100:
            raise AssertionError('It goes on and on')
        return nova.page(nova.images(*range(count, count + 10)), nova.DETAIL)

    http.get(nova.DETAIL, json=page)


@pytest.mark.parametrize(
    'words',
    [
        (),
        ('-f', 'table'),
        ('-f', 'json'),
        ('-f', 'yaml'),
        ('-f', 'value', '--sort-column', 'Name'),
    ],
)
def test_what_gathers_all_images_has_a_bound(never_ending, app, words):
    with pytest.raises(exceptions.CommandError, match='--max-items'):
        test_commands.run(app, ListComputeImage, *words)


@pytest.mark.parametrize('words', [(), ('-f', 'json'), ('-f', 'value')])
@pytest.mark.parametrize(
    ('option', 'count'), [('--max-items', 60), ('--limit', 30)]
)
def test_who_says_how_many_has_so_many(
    never_ending, app, words, option, count
):
    code, printed = test_commands.run(
        app, ListComputeImage, *words, option, str(count)
    )
    assert code == 0
    assert printed.count('cirros-') == count


@pytest.mark.parametrize('form', ['csv', 'value'])
def test_what_shows_each_image_as_it_comes_has_none(never_ending, app, form):
    with pytest.raises(AssertionError, match='on and on'):
        test_commands.run(app, ListComputeImage, '-f', form)
    assert app.stdout.getvalue().count('cirros-') == 100


@pytest.mark.parametrize('count', [24, 25])
def test_as_many_as_the_bound_are_shown(app, http, monkeypatch, count):
    monkeypatch.setattr(_gathering, 'MAX_GATHERED', 25)
    http.get(nova.DETAIL, json=nova.page(nova.images(*range(count))))
    assert len(test_commands.listed(app)) == count
