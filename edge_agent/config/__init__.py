"""The agent's configuration: YAML in, validated Structs out, every finding with its line."""
