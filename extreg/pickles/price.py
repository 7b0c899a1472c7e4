"""What codes are worth for a corpus of pickles, counted in bytes by the costs of each opcode and of the memo.

A code is dumped in two ways.  *Live*, process-wide: pickle writes the opcode at every reference, never memoized, so a wide code costs
bytes where a class recurs in one pickle.  *Scoped*, by rewriting: the code stands once in a pickle and is fetched from the
memo after that, so it never costs any.  Both save the FRAME of nothing and the strings of everything: what is counted here is
only the difference at the references themselves.
"""
