"""Ends a process when the one that started it is gone."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process once the thread that forked it ends (prctl(2), PR_SET_PDEATHSIG).

    Only Linux can; elsewhere a process notices by its pipe, as soon as it reads from it.
    """
    _signal_at_parents_death(signal.SIGKILL)


def outlive_parent() -> None:
    """Take `die_with_parent` back."""
    _signal_at_parents_death(0)


def _signal_at_parents_death(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
