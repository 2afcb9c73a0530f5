"""Latent point to picture: torch and moderngl, with neither a window nor a socket."""
