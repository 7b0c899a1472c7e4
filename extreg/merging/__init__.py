"""Three-way merges of registries by meaning, and the files in which git meets them."""
