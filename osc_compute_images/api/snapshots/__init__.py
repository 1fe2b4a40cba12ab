# SPDX-License-Identifier: Apache-2.0

"""Snapshots of servers: which to create, and whether each server has one."""
