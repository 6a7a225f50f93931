"""Load for a running cloud, by Locust."""
