# SPDX-License-Identifier: Apache-2.0

"""Plans: what to change or delete, what is in use, and what is kept."""
