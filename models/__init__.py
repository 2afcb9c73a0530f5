"""Networks and the piece format. Knows tensors, nothing else."""
