"""Imported first in the fork server: it outlives a SIGTERM to the worker's process group, but not the worker.

The worker needs its children to save a checkpoint before it goes, and they die with the server. Once all is
imported (`workers.preloaded`) the server sees by its pipe that the worker has gone; until then it does not read.
"""

import signal

from workers.parents import die_with_parent

signal.signal(signal.SIGTERM, signal.SIG_IGN)
die_with_parent()
