"""The training engine: a plan, the loop that carries it out, and everything that a step is made of."""
