"""Model versions: made of a trained network, made a network again, and given the data that they are asked about."""
