"""Lint rules: pure functions over values."""
