"""The words both ends of a wire agree on; pure, imports nothing of ours."""
