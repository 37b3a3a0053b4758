"""What may go, and why everything else stays: policy, decisions, ranks, the quality of a transcript. Pure."""
