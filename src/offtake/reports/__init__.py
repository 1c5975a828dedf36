"""What one sees: views of tables, formatting only."""
