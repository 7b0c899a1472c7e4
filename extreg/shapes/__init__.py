"""Shapes: what a class keeps in its pickles, as far as its source tells, and what became of it between two sources.

Pure but for `earlier.py`, which reads the sources of the past.
"""
