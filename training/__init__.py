"""Everything offline: datasets, drawn corpora, Lightning modules, losses, recipes."""
