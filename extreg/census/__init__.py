"""What all stored pickles refer to: a census that adds up, can be stopped, cut into parts and merged."""
