"""Procedural corpora: labelled images drawn by our own code, free of anybody's rights."""
