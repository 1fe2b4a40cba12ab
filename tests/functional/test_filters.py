# SPDX-License-Identifier: Apache-2.0

"""Filters, compared with a selection among all images of Glance.

:class:`Meaning` implements each filter a second time, on printed rows. For
``--flavor``, Nova itself decides.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
import fnmatch
import itertools
import operator
import os
import re
import sqlite3
from typing import Any

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from tests.functional.conftest import as_shown
from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell
from tests.functional.servers import Compute

#: How many combinations of filters are generated.
EXAMPLES = int(os.environ.get('DEVCLOUD_EXAMPLES', '60'))

LIST = ('compute', 'image', 'list')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

GB = 1024**3

#: A server that no longer exists.
GONE = 'd0e5a1b2-0000-4000-8000-00000000dead'
NOBODY = '00000000-0000-4000-8000-000000000000'

#: Images in addition to those of a new cloud, for more cases.
FURTHER: tuple[dict[str, Any], ...] = (
    # Keys that begin with letters of "property-", which Nova strips.
    {'name': 'letters', 'pxe': 'on', 'root': 'sda', 'os_x': '1', 'tpm': '2'},
    {'name': 'letters-2', 'yum': 'on', '-k': 'v', 'property-x': '1'},
    # The same keys without these letters.
    {'name': 'without', 's_distro': 'ubuntu', 'xe': 'on', 'k': 'v', 'x': '1'},
    # Values that Glance interprets as operators.
    {'name': 'operators', 'hw_disk_bus': 'in:virtio,scsi', 'hw_rng': 'eq:x'},
    {'name': 'more', 'architecture': 'in:x86_64,i686', 'vm_mode': 'neq:a'},
    # Keys and values that contain "=" or spaces.
    {'name': 'equals', 'build': 'a=b', 'k': '=', 'Key Space': ' v '},
    {'name': 'text', 'ключ': 'значение', 'a,b': "it's", 'hw_serial': ''},
    # Values of --type.
    {'name': 'base', 'image_type': 'base', 'hw_disk_bus': 'VIRTIO'},
    {'name': 'server', 'image_type': 'server', 'architecture': 'X86_64'},
    {'name': 'all', 'image_type': 'all', 'min_ram': 512, 'min_disk': 5},
    # Values that Nova decodes, or that look like it.
    {'name': 'empty', 'mappings': '[]', 'block_device_mapping': '[]'},
    {'name': 'numbers', 'mappings': '[1, true, null]', 'build': '1.0'},
    {'name': 'range', 'hw_cpu_max': '4', 'hw_cpu_min': '2', 'size_min': '1'},
)


@pytest.fixture(scope='module')
def images(glance: Glance) -> Iterator[list[dict[str, Any]]]:
    """Provide the expected rows of all images, the newest first."""
    made = [
        glance.create(visibility='private', **fields) for fields in FURTHER
    ]
    try:
        yield [as_shown(image) for image in glance.images()]
    finally:
        for image_id in made:
            glance.delete(image_id)


@pytest.fixture(scope='module')
def flavors(cloud: Cloud) -> list[dict[str, Any]]:
    """Provide the flavors of Nova."""
    return Compute(cloud, 'demo').flavors()


class Uses:
    """What uses which image, from the database of Nova.

    No server of the cloud is in ERROR, or has a task.

    :param database: path of the database with the servers
    :param project: only servers of this project count; None for all
    """

    def __init__(
        self, database: str, project: str | None, images: list[dict[str, Any]]
    ) -> None:
        with contextlib.closing(sqlite3.connect(database, timeout=60)) as db:
            rows = db.execute(
                'SELECT uuid, display_name, image_ref, vm_state, project_id '
                'FROM instances WHERE deleted = 0'
            ).fetchall()
            homes = dict(
                db.execute(
                    'SELECT instance_uuid, value '
                    'FROM instance_system_metadata WHERE deleted = 0 '
                    "AND key = 'shelved_image_id'"
                )
            )
        #: Names of servers, by ID.
        self.servers: dict[str, str] = {}
        #: IDs of users, by the ID of the image.
        self.users: dict[str, set[str]] = {}
        #: The image of each shelved server, in Nova's database.
        self.homes: dict[str, str] = {}
        for server_id, name, image_id, state, owner in rows:
            if project not in (None, owner):
                continue
            self.servers[server_id] = name
            if not image_id:
                continue
            self.users.setdefault(image_id, set()).add(server_id)
            if state.startswith('shelved'):
                self.homes[server_id] = homes[server_id]
                for image in images:
                    if image['Server ID'] == server_id:
                        self.users.setdefault(image['ID'], set()).add(
                            server_id
                        )
        for image in images:
            for key in ('kernel_id', 'ramdisk_id'):
                needed = image['Properties'].get(key)
                if needed:
                    self.users.setdefault(needed, set()).add(image['ID'])

    def of(self, image: dict[str, Any]) -> set[str]:
        """Return the IDs of what uses an image."""
        return self.users.get(image['ID'], set())


Keeps = Callable[[dict[str, Any]], bool]


@dataclasses.dataclass(frozen=True)
class Choice:
    """An option with a value, and a predicate of the images it selects."""

    word: str
    keeps: Keeps


def moment(text: str) -> datetime.datetime:
    """Parse a time in Glance's format."""
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S%z')


def is_on_volume(image: dict[str, Any]) -> bool:
    """Return whether an image is a snapshot of a volume-backed server."""
    return not image['Size'] and 'block_device_mapping' in image['Properties']


class Meaning:
    """The meaning of each filter, on printed rows.

    :param images: all images; values for the options are taken from them
    """

    def __init__(
        self,
        images: list[dict[str, Any]],
        servers: dict[str, str],
        flavors: list[dict[str, Any]],
        uses: Uses,
    ) -> None:
        self.images = images
        self._servers = servers
        self._flavors = flavors
        self._uses = uses

    def choices(self) -> dict[str, list[Choice]]:
        """Return every option, with all its values."""
        return {
            'name': list(self.names()),
            'name-pattern': list(self.patterns()),
            'status': list(self.statuses()),
            'type': list(self.types()),
            'server': list(self.servers()),
            'changes-since': list(self.times()),
            'min-disk': list(self.numbers('min-disk', 'Min Disk')),
            'min-ram': list(self.numbers('min-ram', 'Min RAM')),
            'property': list(self.properties()),
            'flavor': list(self.fitting()),
            'name-regex': list(self.expressions()),
            'size': list(self.sizes()),
            'used-by': list(self.users()),
            'unused': [Choice('--unused', lambda i: not self._uses.of(i))],
            'orphaned': [
                Choice(
                    '--orphaned',
                    lambda i: (
                        i['Server ID'] is not None
                        and i['Server ID'] not in self._uses.servers
                    ),
                )
            ],
            **self.bounds(),
            **self.negatives(),
        }

    def expressions(self) -> Iterator[Choice]:
        """A regular expression is searched in the name; None never matches."""
        for text in (
            *('^ubuntu', 'UBUNTU', '(?i)UBUNTU', '[0-9]{2}[.]04$', '^$'),
            *('snapshot|golden', '^.{1,6}$', ':', '^demo-[0-2]$', 'ö', '^-'),
        ):
            yield Choice(
                f'--name-regex={text}',
                lambda i, t=text: (
                    i['Name'] is not None and bool(re.search(t, i['Name']))
                ),
            )

    def sizes(self) -> Iterator[Choice]:
        """A size has a unit, or is in bytes."""
        for text, compare, size in (
            ('>=10GB', operator.ge, 10 * 10**9),
            ('<500MiB', operator.lt, 500 * 2**20),
            ('>0.5G', operator.gt, 5 * 10**8),
            ('<=20GiB', operator.le, 20 * GB),
            ('620MB', operator.eq, 620 * 10**6),
            ('=0', operator.eq, 0),
            ('>1E', operator.gt, 10**18),
        ):
            yield Choice(
                f'--size={text}',
                lambda i, c=compare, n=size: c(i['Size'], n),
            )

    def users(self) -> Iterator[Choice]:
        """A server uses the image that it was booted from or shelved in."""
        for name, server_id in self._servers.items():
            if name == 'from-volume':
                # It has no image, which is an error.
                continue
            word = server_id if name == 'twin' else name
            yield Choice(
                f'--used-by={word}',
                lambda i, s=server_id: s in self._uses.of(i),
            )

    def bounds(self) -> dict[str, list[Choice]]:
        """A time limits the creation time, or the last change."""
        found: dict[str, list[Choice]] = {}
        middle = self.images[len(self.images) // 2]
        for option, column, is_after in (
            ('created-after', 'Created At', True),
            ('created-before', 'Created At', False),
            ('changes-before', 'Updated At', False),
        ):
            exact = moment(middle[column])
            second = datetime.timedelta(seconds=1)
            bounds = {
                exact.isoformat(): exact,
                (exact + second).isoformat(): exact + second,
                f'{exact:%Y-%m-%d}': exact.replace(hour=0, minute=0, second=0),
                '2000': exact.replace(year=2000),
                '2999': exact.replace(year=2999),
            }
            # Not close to the creation time of images of these tests.
            for span, days in (('1w', 7), ('30d', 30), ('10y', 3650)):
                back = datetime.timedelta(days=days)
                bounds[span] = datetime.datetime.now(datetime.UTC) - back
            found[option] = [
                Choice(
                    f'--{option}={text}',
                    lambda i, c=column, t=bound, a=is_after: (
                        (moment(i[c]) >= t) == a
                    ),
                )
                for text, bound in bounds.items()
            ]
        return found

    def negatives(self) -> dict[str, list[Choice]]:
        """A negative option excludes what the positive one selects."""
        return {
            f'not-{option}': [
                Choice(
                    choice.word.replace('--', '--not-', 1),
                    lambda i, k=choice.keeps: not k(i),
                )
                for choice in choices
            ]
            for option, choices in (
                ('name', [*self.names()][::9]),
                ('name-pattern', [*self.patterns()][::4]),
                ('name-regex', [*self.expressions()][::3]),
            )
        }

    def names(self) -> Iterator[Choice]:
        """A name is compared exactly."""
        existing = {
            i['Name']
            for i in self.images
            # A few of the ordinary names are enough.
            if re.fullmatch(r'(?!ubuntu)[a-z]+-[\w.-]+', str(i['Name']))
            is None
        }
        # An empty value is an error.
        existing -= {None, ''}
        nowhere = (
            *('in:golden', 'in:golden,x', 'neq:x', 'eq:', ':', 'eq:golden'),
            *('gold', 'GOLDEN', 'golden ', 'None', 'null', '%', '\\', 'g*'),
            *('m' * 256, 'ubuntu', '\U0001f427', 'a\nb', '--', 'name=golden'),
        )
        for name in (*sorted(existing), *nowhere):
            yield Choice(f'--name={name}', lambda i, n=name: i['Name'] == n)

    def patterns(self) -> Iterator[Choice]:
        """A pattern is a shell wildcard; None never matches."""

        def keeps(image: dict[str, Any], glob: str) -> bool:
            name = image['Name']
            return name is not None and fnmatch.fnmatchcase(
                name, glob.replace('[^', '[!')
            )

        for glob in (
            *('*', '?*', '?', 'ubuntu*', 'UBUNTU-2?.04', '*snapshot*'),
            *('[ab]*', '[^a-z]*', '[X-z]', '*:*', '*,*', 'größe*', 'GRÖSSE*'),
            *('two*lines', '*\n*', '[*]', '[?]', '-*', 'mixed-case', ' *'),
            *('None', '*.04', 'demo-[0-2]', '(a|b)', '*映*', '[', '\\*'),
        ):
            yield Choice(
                f'--name-pattern={glob}', lambda i, g=glob: keeps(i, g)
            )

    def statuses(self) -> Iterator[Choice]:
        """A status is the displayed one, ignoring case."""
        for word in (
            *('ACTIVE', 'active', 'SAVING', 'Saving', 'ERROR', 'eRRoR'),
            *('DELETED', 'UNKNOWN', 'unknown'),
        ):
            yield Choice(
                f'--status={word}',
                lambda i, w=word: i['Status'] == w.upper(),
            )

    def types(self) -> Iterator[Choice]:
        """A type is the property image_type, or a special value."""

        def keeps(image: dict[str, Any], word: str) -> bool:
            match word.lower():
                case 'all':
                    return True
                case 'volume':
                    return is_on_volume(image)
                case 'base':
                    return 'image_type' not in image[
                        'Properties'
                    ] and not is_on_volume(image)
                case 'server':
                    return image['Server ID'] is not None
            return image['Properties'].get('image_type') == word

        for word in (
            *('snapshot', 'backup', 'in:foo', 'base', 'BASE', 'server'),
            *('Server', 'all', 'ALL', 'SNAPSHOT', 'snap', 'image'),
            *('volume', 'Volume'),
            *('in:snapshot,backup', 'eq:snapshot', 'neq:backup'),
        ):
            yield Choice(f'--type={word}', lambda i, w=word: keeps(i, w))

    def servers(self) -> Iterator[Choice]:
        """A server is given by ID, name or URL."""
        ids = {
            **self._servers,
            'http://nova:8774/v2.1/servers/' + GONE: GONE,
            'https://nova/compute/v2.1/p/servers/' + GONE + '/': GONE,
            GONE: GONE,
            GONE.upper(): GONE,
            self._servers['web-1']: self._servers['web-1'],
        }
        # Two servers have this name.
        del ids['twin']
        for word, server_id in ids.items():
            yield Choice(
                f'--server={word}',
                lambda i, s=server_id: i['Server ID'] == s,
            )

    def times(self) -> Iterator[Choice]:
        """A change is at that time or later; a span is an age."""
        updated = moment(self.images[len(self.images) // 2]['Updated At'])
        second = datetime.timedelta(seconds=1)
        east = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        west = datetime.timezone(datetime.timedelta(hours=-8))
        naive = updated.replace(tzinfo=None)
        for text, since in (
            (f'{naive.isoformat()}Z', updated),
            (f'{naive.isoformat()}', updated),
            (f'{naive.isoformat()}+00:00', updated),
            (f'{naive:%Y-%m-%d %H:%M:%S}', updated),
            (f'{naive:%Y-%m-%dT%H:%M}Z', updated),
            (f'{naive:%Y%m%dT%H%M%S}Z', updated),
            (f'{(naive + second).isoformat()}Z', updated + second),
            (f'{(naive - second).isoformat()}Z', updated - second),
            (f'{naive.isoformat()}.000001Z', updated + second / 1_000_000),
            (updated.astimezone(east).isoformat(), updated),
            (updated.astimezone(west).isoformat(), updated),
            (f'{updated.astimezone(east):%Y-%m-%dT%H:%M:%S%z}', updated),
            (f'{naive:%Y-%m-%d}', updated.replace(hour=0)),
            (f'{naive:%Y-%m}', updated.replace(hour=0, day=1)),
            (f'{naive:%Y}', updated.replace(hour=0, day=1, month=1)),
            ('2999-01-01', updated.replace(year=2999)),
        ):
            yield Choice(
                f'--changes-since={text}',
                lambda i, t=since: moment(i['Updated At']) >= t,
            )
        for span, length in (
            ('90min', datetime.timedelta(minutes=90)),
            ('24h', datetime.timedelta(hours=24)),
            ('7d', datetime.timedelta(days=7)),
            ('2w', datetime.timedelta(weeks=2)),
            ('500w', datetime.timedelta(weeks=500)),
        ):
            yield Choice(
                f'--changes-since={span}',
                lambda i, s=length: (
                    moment(i['Updated At'])
                    >= datetime.datetime.now(datetime.UTC) - s
                ),
            )

    def numbers(self, option: str, column: str) -> Iterator[Choice]:
        """A number is exact, or has a comparison operator."""
        signs = {
            '': operator.eq,
            '=': operator.eq,
            '>=': operator.ge,
            '<=': operator.le,
            '>': operator.gt,
            '<': operator.lt,
        }
        existing = {image[column] for image in self.images}
        middle = sorted(existing)[len(existing) // 2]
        pairs = {('', number) for number in existing | {7, 2**31, 10**20}}
        pairs |= set(itertools.product(signs, (0, middle, middle + 1)))
        pairs |= {('>=', 10**20), ('<', 2**31), (' >= ', middle)}
        for sign, number in sorted(pairs):
            compare = signs[sign.strip()]
            yield Choice(
                f'--{option}={sign}{number}',
                lambda i, c=compare, n=number: c(i[column], n),
            )

    def properties(self) -> Iterator[Choice]:
        """A property has the printed value, or any value."""

        def keeps(image: dict[str, Any], key: str, value: str) -> bool:
            properties = image['Properties']
            return key in properties and str(properties[key]) == value

        # One value of each key, and all values of the further images.
        pairs: set[tuple[str, str]] = set()
        for image in self.images:
            for key, value in image['Properties'].items():
                further = any(key in fields for fields in FURTHER)
                if further or key not in [k for k, _value in pairs]:
                    pairs.add((key, str(value)))
        keys = {key for key, _value in pairs}
        nowhere = {
            *(('os_distro', 'ubunt'), ('os_distro', 'UBUNTU')),
            *(('os_distro', 'in:ubuntu,debian'), ('os_distro', 'eq:ubuntu')),
            *(('hw_disk_bus', 'in:virtio'), ('hw_disk_bus', 'in:virtio,ide')),
            *(('hw_disk_bus', 'eq:virtio'), ('hw_disk_bus', ' virtio')),
            *(('architecture', ''), ('architecture', 'x' * 300)),
            *(('s_distro', 'debian'), ('hw_rng', 'x'), ('os_distro', '')),
            # Fields of images, which are not properties.
            *(('name', 'golden'), ('status', 'active'), ('size', '4096')),
            *(('visibility', 'public'), ('min_disk', '5'), ('id', GONE)),
            *(('size_min', '0'), ('limit', '1'), ('sort', 'name:asc')),
            *(('marker', NOBODY), ('created_at', 'gt:2020-01-01T00:00:00Z')),
            *(('tag', 'x'), ('owner', 'x'), ('protected', 'True')),
        }
        for key, value in sorted(pairs | nowhere):
            yield Choice(
                f'--property={key}={value}',
                lambda i, k=key, v=value: keeps(i, k, v),
            )
            if not value.startswith('='):
                yield Choice(
                    f'--property={key}!={value}',
                    lambda i, k=key, v=value: not keeps(i, k, v),
                )
        # None of these is sent to the server: a few are enough.
        nothing = {'OS_DISTRO', 'name', 'status', 'os_', ' '}
        for key in sorted(keys)[::4] + sorted(nothing):
            yield Choice(
                f'--property={key}', lambda i, k=key: k in i['Properties']
            )

    def fitting(self) -> Iterator[Choice]:
        """A flavor that the image can boot on."""

        def keeps(image: dict[str, Any], flavor: dict[str, Any]) -> bool:
            return (
                image['Status'] == 'ACTIVE'
                and image['Min RAM'] <= flavor['ram']
                and (
                    flavor['disk'] == 0
                    or is_on_volume(image)
                    or max(image['Min Disk'] * GB, image['Size'])
                    <= flavor['disk'] * GB
                )
            )

        for flavor in self._flavors:
            for word in (flavor['id'], flavor['name']):
                yield Choice(
                    f'--flavor={word}', lambda i, f=flavor: keeps(i, f)
                )


@pytest.fixture(scope='module')
def meaning(
    cloud: Cloud,
    images: list[dict[str, Any]],
    flavors: list[dict[str, Any]],
) -> Meaning:
    """Provide the meaning of the filters for the images of the cloud."""
    region = cloud.facts['regions']['RegionOne']
    project = cloud.facts['projects']['demo']
    return Meaning(
        images,
        cloud.facts['servers']['RegionOne'],
        flavors,
        Uses(region['nova_db'], project, images),
    )


def left(
    images: list[dict[str, Any]],
    choices: list[Choice],
    after: str | None = None,
    most: int | None = None,
) -> list[str]:
    """Return the expected IDs of a list.

    :param after: ID of the marker
    :param most: the maximum number
    """
    ids = [image['ID'] for image in images]
    start = 0 if after is None else ids.index(after) + 1
    kept = [
        image['ID']
        for image in images[start:]
        if all(choice.keeps(image) for choice in choices)
    ]
    return kept[:most]


def mismatch(
    shell: Shell,
    images: list[dict[str, Any]],
    choices: list[Choice],
    *words: str,
    **limits: Any,
) -> str | None:
    """Return how a list differs from the expected one, or None."""
    options = [choice.word for choice in choices]
    # The images that an age selects change with time.
    before = left(images, choices, **limits)
    result = shell.run(*IDS, *options, *words)
    after = left(images, choices, **limits)
    listed = result.out.split()
    # Unknown use is reported in one line.
    is_reported = {'--unused', '--orphaned'} & {*options}
    err = re.sub(
        '^Some uses of images are .*\n', '', result.err if is_reported else ''
    )
    if (result.code, err if is_reported else result.err) != (0, ''):
        return f'{options} {words}: {result}'
    if listed in (before, after):
        return None
    names = {image['ID']: image['Name'] for image in images}
    too_many = [names.get(i, i) for i in listed if i not in after]
    missing = [names[i] for i in after if i not in listed]
    return f'{options} {words}: too many {too_many}, missing {missing}'


#: All filters, by option.
FILTERS = (
    *('name', 'name-pattern', 'status', 'type', 'server', 'changes-since'),
    *('min-disk', 'min-ram', 'property', 'flavor', 'name-regex', 'size'),
    *('created-after', 'created-before', 'changes-before', 'not-name'),
    *('not-name-pattern', 'not-name-regex', 'used-by', 'unused', 'orphaned'),
)


@pytest.mark.parametrize('option', FILTERS)
def test_filter(quick, images, meaning, option):
    choices = meaning.choices()[option]
    assert not [
        difference
        for choice in choices
        if (difference := mismatch(quick, images, [choice]))
    ]
    # The values select some images, but not all.
    assert any(
        0 < len(left(images, [choice])) < len(images) for choice in choices
    )


#: Those for which Nova filters, and the one that ends a list early.
SENT = (
    *('name', 'status', 'type', 'server', 'changes-since', 'created-after'),
    *('min-disk', 'min-ram', 'property'),
)

PAIRS = (
    *itertools.combinations(SENT, 2),
    # This option can be repeated.
    ('property', 'property'),
)


@pytest.mark.parametrize('first', SENT)
def test_pairs_of_filters(quick, images, meaning, first):
    choices = meaning.choices()
    differences = []
    for one, other in PAIRS:
        if one == first:
            pair = telling(images, choices[one], choices[other])
            differences.append(mismatch(quick, images, pair))
    assert not [each for each in differences if each]


def telling(
    images: list[dict[str, Any]], some: list[Choice], others: list[Choice]
) -> list[Choice]:
    """Return a choice of each that together select fewer images than alone.

    It returns the pair that selects the most images, so that as much as
    possible can go wrong.
    """
    kept = {
        choice.word: set(left(images, [choice])) for choice in some + others
    }

    def merit(pair: tuple[Choice, Choice]) -> tuple[bool, int]:
        mine, theirs = (kept[choice.word] for choice in pair)
        both = mine & theirs
        return 0 < len(both) < min(len(mine), len(theirs)), len(both)

    return list(max(itertools.product(some, others), key=merit))


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_random_filters(quick, images, meaning, data):
    choices = meaning.choices()
    sought = data.draw(st.sampled_from(images), 'an image to be found')
    options = data.draw(
        st.lists(
            st.sampled_from([*FILTERS, 'property', 'property']),
            unique_by=lambda option: (
                option if option != 'property' else object()
            ),
            max_size=6,
        ),
        'filters',
    )
    chosen = []
    for option in options:
        # Independent random values would rarely select anything.
        values = choices[option]
        if data.draw(st.integers(0, 9), 'not by chance'):
            values = [v for v in values if v.keeps(sought)] or values
        chosen.append(data.draw(st.sampled_from(values), option))
    words, limits = data.draw(ranges(images), 'range')
    assert mismatch(quick, images, chosen, *words, **limits) is None


@st.composite
def ranges(draw: Any, images: list[dict[str, Any]]) -> Any:
    """Draw a range of the list, and the options for it."""
    words: list[str] = []
    limits: dict[str, Any] = {}
    number = st.integers(1, len(images) + 1)
    if draw(st.booleans()):
        image = draw(st.sampled_from(images))
        names = [i['Name'] for i in images]
        # An empty name is rejected: it may be an unset variable.
        named = bool(image['Name']) and names.count(image['Name']) == 1
        by = draw(st.sampled_from(('ID', 'Name'))) if named else 'ID'
        # The name of one image is the ID of another, which takes precedence.
        is_id = image['Name'] in [i['ID'] for i in images]
        words.append(f'--marker={image["ID" if is_id else by]}')
        limits['after'] = image['ID']
    limit = draw(st.none() | number)
    most = draw(st.none() | number)
    if limit is not None:
        words.append(f'--limit={limit}')
    if most is not None:
        # Then --limit is the page size.
        words.append(f'--max-items={most}')
    limits['most'] = most or limit
    return words, limits


def test_quick_shell_and_shell_agree(quick, demo, images):
    for words in (
        ('--property', 'os_distro=ubuntu', '--flavor', 'm1.small'),
        ('--server', 'web-1', '--min-disk', '<20'),
        ('--name', 'in:foo', '--status', 'active'),
    ):
        command = (*LIST, '--long', '-f', 'json', *words)
        listed = demo(*command).json()
        assert listed == quick(*command).json()
        assert listed


# -- limits and markers ----------------------------------------------------


@pytest.mark.parametrize(
    'words',
    [
        ('--limit', '5'),
        ('--max-items', '5'),
        ('--limit', '3', '--max-items', '5'),
        ('--limit', '50', '--max-items', '5'),
    ],
)
def test_limits_count_matching_images(quick, images, words):
    # They are at the end of the list, so the server does not apply the limit.
    expected = [i['ID'] for i in images if str(i['Name'])[:4] == 'demo']
    assert len(expected) == 5
    pattern = ('--name-pattern', 'demo-*')
    assert quick(*IDS, *pattern, *words).out.split() == expected
    fewer = [word.replace('5', '4') for word in words]
    assert len(quick(*IDS, *pattern, *fewer).out.split()) == 4


def test_marker_need_not_match_the_filter(quick, images):
    index, marker = next(
        (n, i) for n, i in enumerate(images) if i['Name'] == 'in:foo'
    )
    expected = [i['ID'] for i in images[index:] if i['Name'] == 'golden']
    assert len(expected) == 3
    words = ('--name', 'golden', '--marker', 'in:foo')
    assert quick(*IDS, *words).out.split() == expected
    # It may also be after all matching images.
    assert marker['ID'] not in expected
    words = ('--name', 'in:foo', '--marker', expected[0])
    assert quick(*IDS, *words).out == ''


# -- flavors, compared with Nova -------------------------------------------


def kind(image: dict[str, Any], flavor: dict[str, Any]) -> tuple[Any, ...]:
    """Return everything that matters for booting a server of a flavor."""

    def compared(value: int, limit: int) -> tuple[bool, bool]:
        return value > limit, value == limit

    return (
        image['Status'],
        compared(image['Min RAM'], flavor['ram']),
        compared(image['Min Disk'], flavor['disk']),
        compared(image['Size'], flavor['disk'] * GB),
        bool(image['Size']),
        'block_device_mapping' in image['Properties'],
    )


@pytest.mark.parametrize(
    ('user', 'name'),
    [
        ('demo', 'm1.tiny'),
        ('demo', 'm1.small'),
        ('demo', 'm1.medium'),
        ('demo', 'm1.large'),
        ('demo', 'gpu.only-one'),
        # Nova lets only an administrator boot an image that is not on a
        # volume on a flavor without a disk.
        ('admin', 'v1.volume'),
    ],
)
def test_flavor_agrees_with_nova(cloud, request, user, name):
    shell: Shell = request.getfixturevalue(user)
    images = [as_shown(i) for i in Glance(cloud, user, 'RegionOne').images()]
    listed = shell(*IDS, '--flavor', name).out.split()
    compute = Compute(cloud, user)
    (flavor,) = (f for f in compute.flavors() if f['name'] == name)
    # One image of each kind is enough.
    kinds = {kind(image, flavor): image for image in images}
    wrong, servers = [], []
    for image in kinds.values():
        server_id, reason = compute.boot(image['ID'], flavor['id'])
        if server_id:
            servers.append(server_id)
        if bool(server_id) != (image['ID'] in listed):
            wrong.append((image['Name'], reason))
    compute.delete(*servers)
    assert not wrong


# -- servers ---------------------------------------------------------------


def test_ambiguous_server_name_is_an_error(demo, cloud):
    line = demo.fails(*IDS, '--server', 'twin')
    assert line.startswith(
        "2 servers have the name 'twin'; use one of their IDs: "
    )
    assert cloud.facts['servers']['RegionOne']['twin'] in line


@pytest.mark.parametrize('name', ['web', 'WEB-1', 'web-.', ' ', '.*'])
def test_missing_server_is_an_error(quick, name):
    assert quick.fails(*IDS, '--server', name) == (
        f'No server with a name or ID of {name!r} exists; for a deleted '
        f'server, use its ID'
    )


def test_server_without_images_is_an_error(quick):
    line = quick.fails(*IDS, '--used-by', 'from-volume')
    assert line.endswith(' has no image: it was booted from a volume')
    line = quick.fails(*IDS, '--server', NOBODY)
    assert line == (
        f'No server has the ID {NOBODY}, and no image was taken from it'
    )


def test_images_of_deleted_server(cloud, demo):
    compute = Compute(cloud, 'demo')
    any_image = demo.images('--status', 'active', '--limit', '1')[0]['ID']
    server_id, _reason = compute.boot(any_image, '2')
    compute.wait(server_id)
    image_id = compute.snapshot(server_id, 'of a server')
    glance = Glance(cloud, 'demo', 'RegionOne')
    try:
        words = (*IDS, '--server', 'made by a test')
        assert demo(*words).out == f'{image_id}\n'
        compute.delete(server_id)
        demo.fails(*words)
        words = (*IDS, '--server', server_id)
        assert demo(*words).out == f'{image_id}\n'
    finally:
        glance.delete(image_id)


def test_administrator_finds_server_of_any_project(admin):
    # It is in the project of the ordinary user.
    listed = admin(*LIST, '--server', 'web-2', '-f', 'json').json()
    assert {i['Name'] for i in listed} == {'web-2-snapshot', 'nightly'}


# -- flavors ---------------------------------------------------------------


@pytest.mark.parametrize('name', ['m1', 'M1.TINY', '99', '../servers'])
def test_missing_flavor_is_an_error(quick, name):
    assert quick.fails(*IDS, '--flavor', name) == (
        f'No flavor with a name or ID of {name!r} exists'
    )
