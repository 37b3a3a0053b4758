"""earmark: recordings in a folder become notes beside them, on this machine."""

__version__ = "0.1.0"
