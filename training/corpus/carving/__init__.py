"""The parts of a drawn mask: a carved height field, its surface and the light on it."""
