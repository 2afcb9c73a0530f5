"""Venue files: everything that changes when we move house and nothing that is art."""
