"""The files of a model: which packages hold them, the card beside them, and whether they are what was brought in."""
