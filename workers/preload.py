"""Imported first in the fork server: it outlives a SIGTERM to the worker's process group, but not the worker.

The worker needs its children to save a checkpoint before it goes, and they die with the server.
"""

import signal

from workers.parents import die_with_parent

signal.signal(signal.SIGTERM, signal.SIG_IGN)
die_with_parent()
