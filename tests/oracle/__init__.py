# SPDX-License-Identifier: Apache-2.0

"""An oracle: random commands in random clouds, while somebody else acts.

What must hold, as the documents say (``filters.rst``, ``commands/delete.rst``
and ``commands/prune.rst``): **no server's image and no group's last good image
is ever lost.**

* What a server of any region that shares the Image service, in any cell, was
  booted from or may be stored in, is not deleted by a choice. That holds when
  the deletion is requested; but what changed after it was last read, within
  the time that the documents allow, cannot be known.
* An image that is named is not deleted if a server may be stored in it.
* ``prune`` deletes no last ACTIVE image of a group.
* A plan that is refused has changed nothing; gaps refuse it.
* What the documents say is deleted is deleted if there are no gaps.
* The rows of a dry run are those of the application, if nobody else acts.

It is written from the documents, and knows nothing of the product:
``world.py`` holds what is true, and tells it as Nova does; ``generate.py``
makes and changes it; ``rules.py`` and ``expectation.py`` say what may be
deleted, and ``invariant.py`` checks each deletion.
"""
