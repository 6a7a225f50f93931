"""Bus: who is told of what happened: webhooks, mails, retries, dead letters, circuit breakers."""
