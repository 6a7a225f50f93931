"""The gateways and devices out there, as the cloud knows them."""
