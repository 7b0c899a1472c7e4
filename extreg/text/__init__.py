"""Text: TOML text to registry and back, edits as text to text.  Pure."""
