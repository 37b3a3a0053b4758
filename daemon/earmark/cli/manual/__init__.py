"""Man page and completion of shells, from the outline of the verbs. Standard library only, for the build."""
