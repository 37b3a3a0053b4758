"""What the benchmarks share: real speech cut to length, a daemon to drop it into, and a table that says ok or not."""
