"""When each Device is read, and what happens when it goes."""
