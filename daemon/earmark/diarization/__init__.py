"""Who says what in a recording."""
