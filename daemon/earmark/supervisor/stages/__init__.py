"""What worker processes do for the daemon, a stage each."""
