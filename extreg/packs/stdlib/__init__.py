"""The pack of the standard library: the `registry.toml` beside this file."""
