# SPDX-License-Identifier: Apache-2.0

"""Messages in error responses, in all formats; tests/fuzz has any bytes."""

import json

from keystoneauth1 import token_endpoint
import pytest

from osc_compute_images import api as images
from testbed import nova
from tests.fuzz import cost

HTML = {'Content-Type': 'text/html; charset=utf-8'}
TEXT = {'Content-Type': 'text/plain'}
SAID = 'Policy does not allow it'


@pytest.fixture
def said(api, http):
    """Return a function that returns the message for an error response."""
    api.adapter.auth = token_endpoint.Token(nova.ENDPOINT, 'token')

    def said_(headers, body, status=403, reason='Forbidden'):
        text = body if isinstance(body, str) else json.dumps(body)
        http.delete(
            f'{nova.ENDPOINT}/images/b/metadata/a',
            status_code=status,
            reason=reason,
            headers=headers,
            content=text.encode(errors='surrogateescape'),
        )
        with pytest.raises(images.HTTPError) as caught:
            api.delete_metadata_item('b', 'a')
        return caught.value.message

    return said_


FORMS = {
    'Nova': ({}, {'forbidden': {'code': 403, 'message': SAID}}),
    'a text': (TEXT, SAID),
    'a text without a type': ({}, SAID),
    'HTML without its type': ({}, f'<!doctype html><h1>{SAID}</h1>'),
    **{
        key: ({}, {key: SAID, 'request_ids': ['x']})
        for key in ('error', 'error_msg', 'error_message', 'message')
    },
    'errors': ({}, {'errors': [{'title': 'Forbidden', 'detail': SAID}]}),
    'errors that are texts': ({}, {'errors': [SAID]}),
    'faultstring': ({}, {'error_message': {'faultstring': SAID}}),
    'OAuth': ({}, {'error': 'x', 'error_description': SAID}),
    'detail': ({}, {'status': 403, 'type': 'about:blank', 'detail': SAID}),
    'with a mark at its beginning': ({}, f'\ufeff{{"message": "{SAID}"}}'),
}


#: The text of pages of haproxy, nginx, Apache, Squid and others.
PAGES = {
    '403 Forbidden Request forbidden by administrative rules.': (
        '<html><body><h1>403 Forbidden</h1>\n'
        'Request forbidden by administrative rules.\n</body></html>\n'
    ),
    '502 Bad Gateway nginx': (
        '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n'
        '<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n'
        '<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n'
        '<!-- a padding to disable MSIE and Chrome friendly error page -->'
    ),
    'Service Unavailable Please try again later.': (
        '<html><head>\n<title>503 Service Unavailable</title>\n</head><body>'
        '\n<h1>Service Unavailable</h1>\n<p>Please try again\nlater.</p>\n'
    ),
    'ERROR: Cannot retrieve it ERROR Access Denied.': (
        '<html><head><title>ERROR: Cannot retrieve it</title>'
        '<style type="text/css"><!-- p {} --></style></head>'
        '<body><h1>ERROR</h1><p><b>Access Denied.</b></p></body></html>'
    ),
    '523 Unreachable': (
        f'<title>523</title><style>{"p {}" * 9999}</style><h1>Unreachable'
    ),
    'Not JSON': '{"message": "Not JSON<br /><br />\n\n"}',
    'No': '<!-- <p>x</p> --><h1>No</h1><!-- <p>',
    '403': '<title>403</title>',
}


@pytest.mark.parametrize('text', PAGES)
def test_whole_text_of_a_page_is_shown(said, text):
    assert said(HTML, PAGES[text]) == text


@pytest.mark.parametrize(('headers', 'body'), FORMS.values(), ids=FORMS)
def test_message_is_found_and_one_short_line(said, headers, body):
    assert SAID in said(headers, body)
    text = body if isinstance(body, str) else json.dumps(body)
    long = said(headers, text.replace(SAID, 'A\nB\x1b[2J ' + 'x' * 3000))
    assert long.isprintable()
    assert len(long) < 700


@pytest.mark.parametrize(
    ('headers', 'body'),
    [
        ({}, ''),
        ({}, '{}'),
        ({}, '{"message": null, "error": {"error": {"error": 7}}}'),
        ({}, '{"message": '),
        ({}, '[' * 100_000),
        ({}, '\udcff' * 9),
        (HTML, '<script>alert(1)</script><style>p {}</style>'),
        # The style of a page may be long before its text.
        (HTML, f'<html>{" " * 65536}<title>late</title>'),
        ({'Content-Type': 'image/png'}, 'PNG'),
    ],
)
def test_default_message_is_the_reason(said, headers, body):
    assert said(headers, body, 599) == 'Forbidden'
    assert said(headers, body, 401, '') == 'Unauthorized'
    assert said(headers, body, 599, '') == 'The server gave no reason'


@pytest.mark.parametrize(
    'body',
    [
        '<title>' * 100_000,
        '<!--' * 100_000,
        '<script>' + '</script ' * 100_000,
        '<' + 'a' * 100_000,
        '"' + '\\"' * 200_000,
        '{"a":' * 50_000,
        '&#' * 100_000,
        '://@' * 50_000,
        '&#' + '9' * 100_000 + ';',
    ],
    ids=lambda body: body[:9],
)
def test_long_bodies_take_linear_time(said, body):
    with cost.bounded(len(body)):
        said({}, body)


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('to http://u:p@nova:8774/v2.1 failed', 'to http://nova:8774/v2.1'),
        ('"https://u%40x:p@nova"', '"https://nova"'),
        ('http://token@nova/', 'http://nova/'),
        ('http://u:p@a@nova/x@y', 'http://nova/x@y'),
        ("to ('http://u:p@a', 'http://v:q@b')", "('http://a', 'http://b')"),
        ('mail@example.com', 'mail@example.com'),
    ],
)
def test_credentials_are_removed_from_urls(said, text, shown):
    message = said({}, {'message': text})
    assert shown in message
    assert 'u:p' not in message
