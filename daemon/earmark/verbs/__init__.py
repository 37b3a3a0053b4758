"""What the verbs of the command line do, without a terminal: each takes a context, decides, acts, says what came of it."""
