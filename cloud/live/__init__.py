"""Live: feeds over WebSocket and Socket.IO of what happens, coalesced and replayable."""
