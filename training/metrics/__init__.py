"""What a piece is worth, in figures: each is told beside its floor, what real images reach."""
