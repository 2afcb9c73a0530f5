"""Where the picture goes: window, files, recordings. Never imports torch."""
