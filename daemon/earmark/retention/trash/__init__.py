"""Files that rules took: taking, restoring, purging, and recovering from a kill in between."""
