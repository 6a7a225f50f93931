"""Takes the data of thousands of gateways, stores it, and serves one REST API."""
