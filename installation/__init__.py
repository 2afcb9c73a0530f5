"""Train a GAN on your own images and put it on a wall, live."""

__version__ = "0.1.0"
