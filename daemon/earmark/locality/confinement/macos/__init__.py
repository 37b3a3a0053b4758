"""The walls of a process on macOS: rules of its sandbox language, made into a profile that the process puts on itself.

Never run on a Mac by us. What is known of the language has its source beside it; what only a Mac can tell is asked there, by
the process itself (walls.py) and by `earmark privacy check`.
"""
