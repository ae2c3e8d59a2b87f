"""Generative adversarial networks: what `gan`, `dcgan` and `wgan_gp` share."""
