"""What the client can be asked for: one file a subject, each written once for both clients."""
