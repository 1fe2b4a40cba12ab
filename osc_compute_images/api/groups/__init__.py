# SPDX-License-Identifier: Apache-2.0

"""Groups of images: the newest of each, and counts."""
