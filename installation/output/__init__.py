"""Where the picture goes: window, files, recordings. Never imports torch."""

import os

# read by pygame when it is imported
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its greeting would be on stdout
os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")  # sizes are real pixels
