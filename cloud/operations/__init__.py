"""What people and programs do with the data through the API; knows no HTTP."""
