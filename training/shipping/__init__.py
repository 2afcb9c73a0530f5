"""The pieces that ship, made anew by one command each: see __main__.py."""
