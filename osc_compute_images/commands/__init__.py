# SPDX-License-Identifier: Apache-2.0

"""The commands, related ones in one module; they know nothing of HTTP."""
