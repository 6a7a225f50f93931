"""A validated configuration -> a running Agent: the only place that names concrete parts."""
