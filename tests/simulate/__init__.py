# SPDX-License-Identifier: Apache-2.0

"""A simulated year: each night create, check and prune, while things fail.

A fleet lives for 400 days, without sleeping, under a seed. Servers are
created, renamed, shelved, rebuilt and deleted; snapshots are stuck, or fail;
cells are down, requests fail, commands are killed, and clocks are wrong.

* No server's image is deleted: one that it was booted from, or may be stored
  in. What somebody else changed after the last list of servers cannot be
  known; the image from which a server is restored is read right before.
* No group loses its last good image.
* Nothing is deleted that the rules keep; on a calm night everything else is.
* No snapshot is created for a server that has a recent one; on a calm night
  each other server that is ready has one.
* On a calm night, a command that is repeated does nothing.
* ``check`` says OK only if each server has a recent snapshot, by the clock of
  its machine; on a calm night it says so if that is true.

What the rules keep is known from ``tests/oracle``: from the documents, not
from the product. ``clock.py`` has the time, ``cloud.py`` the faults,
``life.py`` what happens to servers and images, ``guard.py`` what must hold,
and ``year.py`` the nights.
"""
