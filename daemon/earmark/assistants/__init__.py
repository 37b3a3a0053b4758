"""What local assistants may read of the recordings: tools, and serving them behind walls."""
