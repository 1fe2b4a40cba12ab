# SPDX-License-Identifier: Apache-2.0

"""The commands, one per module; they know nothing of HTTP."""
