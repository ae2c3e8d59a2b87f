"""What networks reach on real data, trained through the API: the figures of `docs/results.md`."""
