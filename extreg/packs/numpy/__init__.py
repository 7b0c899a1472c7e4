"""The pack of numpy: the `registry.toml` beside this file."""
