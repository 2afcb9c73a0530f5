"""Is what a piece draws new? Each sample beside the training images that it is nearest to."""
