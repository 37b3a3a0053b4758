"""The models on this device: what is there, what would run well, bringing one in, and checking it."""
