# SPDX-License-Identifier: Apache-2.0

"""The requests of the images API, and the class that makes them."""
