"""The project around a registry: which file is meant, its repository, and where its modules are."""
