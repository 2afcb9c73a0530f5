"""What is in a dataset, what is wrong with it, and a curated copy: suggest, never delete."""
