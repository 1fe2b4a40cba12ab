# SPDX-License-Identifier: Apache-2.0

"""OpenStackClient plugin for the images API of the Compute service."""
