"""Rules that every reading passes on its way to the buffer."""
