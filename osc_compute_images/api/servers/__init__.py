# SPDX-License-Identifier: Apache-2.0

"""Servers and flavors: reading them, and those of a whole fleet."""
