"""What the tests build on: real servers, builders, waiting."""
