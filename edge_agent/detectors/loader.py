"""What runs models on a gateway: the same loader that the cloud judges them with."""

from protocols.scoring.loader import MOST_ROWS, load_network

__all__ = ["MOST_ROWS", "load_network"]
