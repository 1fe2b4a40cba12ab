# SPDX-License-Identifier: Apache-2.0

"""Filters that match displayed values, where Nova's own filters do not.

Each function returns a :class:`Filter`. Every call that selects images takes
one as ``where``. Filters combine with ``&``, ``|`` and ``~``::

    from osc_compute_images.api import filters, ImagesAPI

    where = filters.status('SAVING') & ~filters.name_pattern('web-*')
    for image in api.list_detail(where=where):
        print(image.name)

A filter is sent as query parameters if Nova filters correctly, and is checked
again for every image. The guide on filters describes Nova's own filters.
"""

from osc_compute_images.api.filters import _attributes
from osc_compute_images.api.filters import _filter
from osc_compute_images.api.filters._attributes import boots_on
from osc_compute_images.api.filters._attributes import has_property
from osc_compute_images.api.filters._attributes import image_type
from osc_compute_images.api.filters._attributes import property_is
from osc_compute_images.api.filters._attributes import server
from osc_compute_images.api.filters._attributes import status
from osc_compute_images.api.filters._comparisons import changes_before
from osc_compute_images.api.filters._comparisons import changes_since
from osc_compute_images.api.filters._comparisons import created_after
from osc_compute_images.api.filters._comparisons import created_before
from osc_compute_images.api.filters._comparisons import min_disk
from osc_compute_images.api.filters._comparisons import min_ram
from osc_compute_images.api.filters._comparisons import size
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._names import name
from osc_compute_images.api.filters._names import name_pattern
from osc_compute_images.api.filters._names import name_regex

#: The filter that every image matches; it has no query parameters.
EVERYTHING: Filter = _filter.EVERYTHING

#: The statuses that Compute shows.
STATUSES: tuple[str, ...] = _attributes.STATUSES

__all__ = [
    'EVERYTHING',
    'STATUSES',
    'Filter',
    'boots_on',
    'changes_before',
    'changes_since',
    'created_after',
    'created_before',
    'has_property',
    'image_type',
    'min_disk',
    'min_ram',
    'name',
    'name_pattern',
    'name_regex',
    'property_is',
    'server',
    'size',
    'status',
]
