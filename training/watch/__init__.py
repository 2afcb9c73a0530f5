"""Watching a training: pictures, plain sentences, a page in the browser, boards for machines."""
