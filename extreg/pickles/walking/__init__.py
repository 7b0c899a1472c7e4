"""Reading pickle bytes: opcode by opcode, fast where patterns carry, and never running any."""
