"""Language models: the probability of a text as that of each token behind those before it, and texts drawn from it."""
