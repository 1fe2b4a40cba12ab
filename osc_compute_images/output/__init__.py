# SPDX-License-Identifier: Apache-2.0

"""What is printed: fields, cells, progress, warnings."""
