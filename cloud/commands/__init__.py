"""What the commands of `lineside-cloud` do; typer and rich only here and in `cloud/cli.py`."""
