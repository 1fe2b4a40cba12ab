# SPDX-License-Identifier: Apache-2.0

"""The limit of images that are held in memory."""

from osc_lib import exceptions
import pytest

from osc_compute_images.output import bounds
from testbed import nova


@pytest.mark.parametrize(
    ('line', 'there_are', 'listed'),
    [
        ('list', 26, None),
        ('list -f json', 26, None),
        ('list -f value --sort-column Name', 26, None),
        ('list', 25, 25),
        ('list -f json --max-items 60', 100, 60),
        ('list -f json --limit 30', 100, 30),
        *((f'list -f {form}', 100, 100) for form in ('csv', 'jsonl', 'value')),
    ],
)
def test_formats_that_hold_all_images_are_limited(
    app, http, monkeypatch, line, there_are, listed
):
    monkeypatch.setattr(bounds, 'MAX_GATHERED', 25)
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(there_are))))
    if listed is None:
        with pytest.raises(exceptions.CommandError, match='--max-items'):
            app.run(line)
    else:
        assert app.run(line)[1].count('cirros-') == listed
