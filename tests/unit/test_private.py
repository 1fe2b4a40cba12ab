# SPDX-License-Identifier: Apache-2.0

"""Private names of other libraries that the HTTP client uses.

``osc_compute_images/api/http/__init__.py`` lists them. If a library removes
one, requests work without the feature, and these tests fail.
"""

import inspect
import pathlib
import re

from keystoneauth1 import session
import pytest
import urllib3

from osc_compute_images.api import http

FOLDER = pathlib.Path(http.__file__).parent

#: Matches the use of a private attribute of another object.
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


def test_private_names_are_documented():
    assert {name for name in used() if name not in http.__doc__} == set()
    assert used() == {
        '_connect_retries',
        '_connection',
        '_fp',
        '_original_response',
        '_pool',
    }


def test_session_has_connect_retries():
    if 'connect_retries' not in inspect.signature(session.Session).parameters:
        pytest.skip('This keystoneauth has no such retries')
    assert session.Session(connect_retries=7)._connect_retries == 7


@pytest.mark.parametrize(
    'name', ['_original_response', '_connection', '_pool', '_fp']
)
def test_response_has_its_connection(name):
    response = urllib3.HTTPResponse(preload_content=False)
    assert hasattr(response, name)
