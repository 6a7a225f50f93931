"""From stored readings and labels to better models."""
