"""Imported first in the fork server: it outlives a SIGTERM to the worker's process group.

The worker needs its children to save a checkpoint before it goes, and they die with the server. The
server itself ends when the worker does, since its pipe closes.
"""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
