"""Networks that code what they are given, or make what resembles it: what autoencoders, VAEs and GANs share."""
