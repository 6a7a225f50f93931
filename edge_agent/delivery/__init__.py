"""From blocks that passed the gates to batches that the cloud's store has: sealing, sending, sending again."""
