"""What people upload, one file a format; read in a process of its own, within bounds, and never run."""
