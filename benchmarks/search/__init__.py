"""How searches find what they look for: the figures of `docs/results.md` on strategies and pruners."""
