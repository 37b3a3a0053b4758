"""The daemon: one loop that looks, queues, keeps workers alive, writes, sweeps and says how it is."""
