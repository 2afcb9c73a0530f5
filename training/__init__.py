"""Everything offline: datasets, drawn corpora, Lightning modules, losses, recipes."""


class UsageError(Exception):
    """Something the artist can put right. The message is the one line to show; exit status 2."""
