"""The running daemon, watched while it hears a recording that the check drops: by ptrace where allowed, else by samples."""
