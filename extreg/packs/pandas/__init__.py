"""The pack of pandas: the `registry.toml` beside this file."""
