"""How the agent watches itself and is watched: status, metrics, health, watchdog, logs."""
