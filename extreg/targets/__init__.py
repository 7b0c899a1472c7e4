"""What a target leads to: by reading sources, or by importing it in a child process."""
