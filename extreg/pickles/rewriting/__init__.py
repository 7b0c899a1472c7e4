"""Exchanging names and codes in pickle bytes: planned, proved, and left alone where it cannot be."""
