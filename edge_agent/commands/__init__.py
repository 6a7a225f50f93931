"""What the command line does besides running: each command one file, all of typer and rich here."""
