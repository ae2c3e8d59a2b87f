"""What an evaluation tells of a model version beside its metrics: curves, the hardest samples, drift, a comparison."""
