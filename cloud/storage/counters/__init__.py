"""Counters of requests: in memory, in a file for the processes of one host, in Redis for several hosts."""
