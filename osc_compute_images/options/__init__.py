# SPDX-License-Identifier: Apache-2.0

"""The options that choose images, and the parsers of their values."""
