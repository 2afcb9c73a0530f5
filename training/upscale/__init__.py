"""Fitting an upscaler: general weights to drawn pictures, a piece's own to an artist's images."""
