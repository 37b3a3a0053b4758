"""Where words may go: where an address really ends, who agreed to it, and the page that says so."""
