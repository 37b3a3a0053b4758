"""Who speaks when: local voices, what they sound like, and which of them are one person."""
