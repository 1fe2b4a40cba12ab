# SPDX-License-Identifier: Apache-2.0

"""Listings: query parameters, decoding, and paging, without I/O."""
