"""What is in the drop folders: rules for what is a recording, the folder scan, settling, and the watcher's hints."""
