# SPDX-License-Identifier: Apache-2.0

"""Limits of the responses of a server.

Together with the maximum size of a body, they limit time and memory, whatever
a server sends. The responses of Nova are far below them. SECURITY.rst lists
them.
"""

#: JSON values in a response. A page of 1,000 images with the maximum of 128
#: properties has 200,000.
MAX_VALUES = 1_000_000

#: Lists and objects in a response of more than MAX_VALUES bytes, besides one
#: per 32 bytes. Each takes at least two bytes, and some 200 in memory. An
#: image has eight, in some 900 bytes. Smaller responses are not checked:
#: counting would slow down every page.
MAX_CONTAINERS = 50_000
BYTES_PER_CONTAINER = 32

#: Entries of a page. A server may ignore the limit of 1,000 in a request.
MAX_ENTRIES = 25_000

#: Levels of nesting in a response. Python's own limit is some hundreds, and
#: depends on the call stack.
MAX_DEPTH = 200

#: Characters of an ID. A UUID has 36.
MAX_ID_LENGTH = 255

#: IDs of a listing that are held as hashes, to remove duplicates where pages
#: overlap, or if the listing goes back. They take 5 MB.
MAX_KNOWN_IDS = 50_000

#: Markers of a listing that are held, to detect a repeated page.
MAX_KNOWN_PAGES = 10_000

#: Pages of a listing in a row with nothing on them.
MAX_EMPTY_PAGES = 100

#: Servers that are held in memory, to find the use of images.
MAX_SERVERS = 500_000

#: Invalid values of a response that are logged; the others are counted.
MAX_WARNINGS = 5

#: Characters of an invalid value in a warning.
MAX_VALUE_SHOWN = 80

#: IDs in the message of an error.
MAX_IDS_SHOWN = 10
