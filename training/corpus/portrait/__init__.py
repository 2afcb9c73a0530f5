"""The parts of a drawn face: who sits, each feature on the turned head, hair, and the light."""
