"""Pages for the browser of whoever sits at this device: a window onto the ledger and the notes, and nothing more."""
