"""Where sealed batches wait for the cloud: on disk, and in memory as the model of it."""
