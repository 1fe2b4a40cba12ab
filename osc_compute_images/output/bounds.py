# SPDX-License-Identifier: Apache-2.0

"""Limits to the images that a command holds in memory."""

#: Images held in memory by formats that do not stream, unless --max-items or
#: --limit is given.
MAX_GATHERED = 250_000

#: Formats that print each image as it arrives.
STREAMING = ('csv', 'jsonl', 'value')
