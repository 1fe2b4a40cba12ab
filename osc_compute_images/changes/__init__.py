# SPDX-License-Identifier: Apache-2.0

"""Plans of changes: made, shown, approved, applied and reported."""
