"""The rules about one thing each, pure: no clock, no I/O, no HTTP."""
