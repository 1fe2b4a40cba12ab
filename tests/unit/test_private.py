# SPDX-License-Identifier: Apache-2.0

"""Names of other libraries that are private, and relied on.

They are listed in ``osc_compute_images/api/http/__init__.py``. Where one goes,
the requests go on without what it is for, and this tells.
"""

import inspect
import pathlib
import re

from keystoneauth1 import session
import pytest
import urllib3

from osc_compute_images.api import http

FOLDER = pathlib.Path(http.__file__).parent

#: Where an attribute of another object, that begins with an underscore, is
#: read or written.
PRIVATE = re.compile(r"(?<!self)(?<!cls)\.(_[a-z]\w*)|attr\(\w+, '(_\w+)'")


def used():
    names = set()
    for path in FOLDER.glob('*.py'):
        text = path.read_text().partition('"""\n\n')[2]
        modules = set(re.findall(r'import (_\w+)', text))
        for line in text.splitlines():
            if line.startswith('from '):
                continue
            for found in PRIVATE.finditer(line):
                name = found[1] or found[2]
                if name not in modules:
                    names.add(name)
    return names - {'_replace'}


def test_all_are_listed():
    assert {name for name in used() if name not in http.__doc__} == set()
    assert used() == {
        '_connect_retries',
        '_connection',
        '_fp',
        '_original_response',
        '_pool',
    }


def test_the_session_has_its_retries():
    if 'connect_retries' not in inspect.signature(session.Session).parameters:
        pytest.skip('This keystoneauth has no such retries')
    assert session.Session(connect_retries=7)._connect_retries == 7


@pytest.mark.parametrize(
    'name', ['_original_response', '_connection', '_pool', '_fp']
)
def test_a_response_has_its_connection(name):
    response = urllib3.HTTPResponse(preload_content=False)
    assert hasattr(response, name)
