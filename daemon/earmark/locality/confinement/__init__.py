"""The walls of a process: what it gives up, and the one connection that it is handed."""
