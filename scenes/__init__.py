"""One file, one work. A scene imports installation.scene and nothing else."""
