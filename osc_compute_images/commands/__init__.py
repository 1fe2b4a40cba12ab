# SPDX-License-Identifier: Apache-2.0

"""The commands, one a module; they know nothing of HTTP."""
