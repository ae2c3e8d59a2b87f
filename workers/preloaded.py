"""Imported last in the fork server, which serves all threads of the worker and must not end with one of them."""

from workers.parents import outlive_parent

outlive_parent()
