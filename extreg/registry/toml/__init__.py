"""The text of a registry file: reading it, with every fault named, and editing it as text."""
