# SPDX-License-Identifier: Apache-2.0

"""What Compute sends: images, servers, flavors, their IDs and times."""
