"""Stand-ins for programs that people leave."""
