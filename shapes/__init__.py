"""The shapes of a network that is written as a list of layers: what fits on what, without torch.

The gateway refuses by it a list that does not fit a data set, and the training engine builds by it the list
that does. So it stands beside the rooms and imports none of them.
"""
