"""Does every process have the codes: one child of each kind is started, and what stands in them is compared."""
