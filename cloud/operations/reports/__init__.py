"""Reports: what each says, computed from what is stored, and how it is written in each format."""
