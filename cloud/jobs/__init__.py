"""Long work, each piece in a process of its own: queued, watched, limited, cancelled."""
