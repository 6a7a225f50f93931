"""What the cloud keeps beside readings: typed SQLAlchemy mapping, one family a file; no other package imports it."""
