"""The lint: what it runs, what its rules find, and the facts that they know."""
