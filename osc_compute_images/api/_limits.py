# SPDX-License-Identifier: Apache-2.0

"""Limits to what an answer of a server can cost its client.

Together with the limit to the size of a body they bound time and memory,
whatever a server sends. What a Nova sends stays far below them. SECURITY.rst
tells each of them.
"""

#: JSON values in one answer. A page of 1,000 images that have all 128
#: properties that Nova allows has 200,000.
MAX_VALUES = 1_000_000

#: Entries of one page. Pages of 1,000 are asked for; a server may ignore that.
MAX_ENTRIES = 25_000

#: Levels of nesting in one answer. Python's own limit is some hundreds, and
#: depends on what has called what.
MAX_DEPTH = 200

#: Characters of an ID. A UUID has 36.
MAX_ID_LENGTH = 255

#: IDs of the last images of a listing that are remembered as they are, so
#: that none comes twice where pages overlap.
MAX_RECENT_IDS = 2000

#: IDs of a listing that are remembered as 8 bytes each, so that none comes
#: twice where the listing has to begin anew.
MAX_KNOWN_IDS = 1_000_000

#: Pages of a listing among which one that comes again is recognized.
MAX_KNOWN_PAGES = 10_000

#: Servers that are joined with images. They are held in memory.
MAX_SERVERS = 500_000

#: Oddities of one answer that are logged one by one; the rest are counted.
MAX_WARNINGS = 5

#: Characters of an odd value that a warning shows.
MAX_VALUE_SHOWN = 80

#: Characters of the message of an error, and of the ID of a request.
MAX_MESSAGE = 2000
MAX_REQUEST_ID = 200

#: IDs that an error lists.
MAX_IDS_SHOWN = 10
