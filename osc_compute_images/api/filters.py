# SPDX-License-Identifier: Apache-2.0

"""Filters that select by what is shown, where Nova's own do not.

Each function returns a :class:`Filter`; filters combine with ``&``::

    from osc_compute_images.api import filters, ImagesAPI, ListOpts

    chosen = filters.status('SAVING') & filters.name_pattern('web-*')
    pager = api.list_detail(chosen.narrow(ListOpts(limit=200)))
    for image in chosen.select(pager):
        print(image.name)

A filter has two parts. What Nova's parameters can narrow down rightly is
asked of the server, to save its time; the rest, and all of it once more, is
checked on each image as it comes. The guide on filters tells, parameter by
parameter, what Nova gets wrong.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import fnmatch
import operator
import re

from osc_compute_images.api._image import Image
from osc_compute_images.api._lookup import Flavor
from osc_compute_images.api._options import ListOpts
from osc_compute_images.api._options import ListOptsBuilder
from osc_compute_images.text import property_text

#: The words that Compute shows for a status, and Glance's words behind them
#: (Nova's filter takes Glance's); None where there is no end of those.
STATUSES: Mapping[str, str | None] = {
    'ACTIVE': 'active',
    'SAVING': 'in:queued,saving',
    'ERROR': 'killed',
    'DELETED': 'in:deleted,pending_delete',
    'UNKNOWN': None,
}

#: Comparisons by their signs. The longer ones come first.
COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    '>=': operator.ge,
    '<=': operator.le,
    '>': operator.gt,
    '<': operator.lt,
    '=': operator.eq,
}

GB = 1024**3

# Properties that Nova and Glance compare as they stand. Of other keys Nova
# cuts off every leading letter of "property-", and Glance takes some for its
# own parameters (a range, where they end in _min or _max).
_COMPARED_BY_NOVA = re.compile(
    r'(hw_|img_)\w*(?<!_min)(?<!_max)'
    r'|architecture|base_image_ref|image_type|instance_uuid|vm_mode'
)


@dataclasses.dataclass(frozen=True)
class Filter:
    """A choice among images.

    :param matches: tells whether an image is one of them
    :param query: parameters that make the server leave out images that do
        not match, and none that do
    """

    matches: Callable[[Image], bool]
    query: Mapping[str, str | int] = dataclasses.field(default_factory=dict)

    def __and__(self, other: 'Filter') -> 'Filter':
        """Choose the images that both filters choose."""
        if self is EVERYTHING or other is EVERYTHING:
            return other if self is EVERYTHING else self
        mine, others = self.matches, other.matches
        return Filter(
            lambda image: mine(image) and others(image),
            # Where both want the same parameter, one narrows well enough.
            {**other.query, **self.query},
        )

    def narrow(self, opts: ListOptsBuilder | None = None) -> ListOptsBuilder:
        """Return the options of a listing with this filter's in addition."""
        return _Narrowed(self.query, ListOpts() if opts is None else opts)

    def select(self, images: Iterable[Image]) -> Iterator[Image]:
        """Yield the images that match, each as soon as it comes."""
        return (
            iter(images)
            if self is EVERYTHING
            else (filter(self.matches, images))
        )


#: The filter that chooses every image, and asks nothing of the server.
EVERYTHING = Filter(lambda _image: True)


@dataclasses.dataclass(frozen=True)
class _Narrowed:
    query: Mapping[str, str | int]
    opts: ListOptsBuilder

    def to_image_list_query(self) -> Mapping[str, str | int]:
        # The options' own parameters are not checked here: they must stay.
        return {**self.query, **self.opts.to_image_list_query()}


def name(exact: str) -> Filter:
    """Choose images by their exact name, whatever characters it has."""
    return Filter(
        lambda image: image.name == exact,
        ListOpts(name=exact).to_image_list_query(),
    )


def name_pattern(glob: str) -> Filter:
    """Choose images by a shell wildcard for their name, in any case."""
    # NOTE: not fnmatch.fnmatch, whose case depends on the platform.
    matches = re.compile(fnmatch.translate(glob), re.IGNORECASE).match
    return Filter(
        lambda image: (
            image.name is not None and matches(image.name) is not None
        )
    )


def status(word: str) -> Filter:
    """Choose images by the status that is shown, in any case.

    :raises ValueError: if the word is none of :data:`STATUSES`
    """
    shown = word.upper()
    if shown not in STATUSES:
        raise ValueError(
            f'{word!r} is no status of an image; the statuses are: '
            f'{", ".join(STATUSES)}'
        )
    behind = STATUSES[shown]
    return Filter(
        lambda image: image.status == shown,
        {} if behind is None else {'status': behind},
    )


def image_type(kind: str) -> Filter:
    """Choose images by how they came to be.

    :param kind: a value of the property ``image_type``, as Nova sets it
        (``snapshot``, ``backup``) or anybody else; or, in any case, ``base``
        for images without that property, ``server`` for those that were
        taken from a server, ``all``
    """
    match kind.lower():
        case 'all':
            return EVERYTHING
        case 'base':
            return Filter(lambda image: 'image_type' not in image.metadata)
        case 'server':
            return Filter(lambda image: image.server is not None)
    return property_is('image_type', kind)


def server(server_id: str) -> Filter:
    """Choose the images that were taken from a server, by its ID."""
    return Filter(
        lambda image: image.server_id == server_id,
        {'server': server_id},
    )


def has_property(key: str) -> Filter:
    """Choose images that have a property, whatever its value."""
    return Filter(lambda image: key in image.metadata)


def property_is(key: str, value: str) -> Filter:
    """Choose images by the value of a property.

    :param value: the value as it is shown: see
        :func:`osc_compute_images.text.property_text`
    """

    def matches(image: Image) -> bool:
        return key in image.metadata and (
            property_text(image.metadata[key]) == value
        )

    query = {}
    if value and _COMPARED_BY_NOVA.fullmatch(key):
        query[f'property-{key}'] = value
    return Filter(matches, query)


def min_disk(sign: str, gb: int) -> Filter:
    """Choose images by the disk that they need, compared to some GB.

    :param sign: one of :data:`COMPARISONS`
    """
    return _number(lambda image: image.min_disk, sign, gb, 'minDisk')


def min_ram(sign: str, mb: int) -> Filter:
    """Choose images by the memory that they need, compared to some MB.

    :param sign: one of :data:`COMPARISONS`
    """
    return _number(lambda image: image.min_ram, sign, mb, 'minRam')


def _number(
    get: Callable[[Image], int | None], sign: str, number: int, parameter: str
) -> Filter:
    compare = COMPARISONS[sign]

    def matches(image: Image) -> bool:
        value = get(image)
        return value is not None and compare(value, number)

    # Nova's own parameter knows equality only, and fails on a number that
    # its database cannot hold.
    narrows = sign == '=' and number < 2**31
    return Filter(matches, {parameter: number} if narrows else {})


def boots_on(flavor: Flavor) -> Filter:
    """Choose the images that a server of a flavor can boot.

    It is what Nova checks before it builds a server: the image is ACTIVE, the
    flavor has the memory and the disk that the image needs at least, and the
    disk holds the image. A flavor without a disk boots from a volume, whose
    size it does not tell: then any disk will do.
    """

    def matches(image: Image) -> bool:
        if image.status != 'ACTIVE' or (image.min_ram or 0) > flavor.ram:
            return False
        return flavor.disk == 0 or (
            (image.min_disk or 0) <= flavor.disk
            and (image.size or 0) <= flavor.disk * GB
        )

    return Filter(matches, status('ACTIVE').query)
