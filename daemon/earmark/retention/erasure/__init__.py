"""Forgetting on a person's word: finding every copy, erasing it, looking for what is left, refusing its return."""
