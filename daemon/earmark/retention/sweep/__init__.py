"""Making a plan and carrying it out, by clock and by hand, with every guard asked next to the act."""
