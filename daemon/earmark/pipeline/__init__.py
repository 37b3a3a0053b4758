"""What happens to one recording, stage by stage: accepted, transcribed, written, summarised, written, done."""
