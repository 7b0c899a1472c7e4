"""What is known of globals of the standard library, by measurement or from its sources."""
