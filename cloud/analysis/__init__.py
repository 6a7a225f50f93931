"""Is it drifting, how long will it last, what comes next: answers from stored readings."""
