# SPDX-License-Identifier: Apache-2.0

"""Regions and clouds, and the images in them that a command works on."""
