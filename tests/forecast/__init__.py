"""What will probably happen, told without an office."""
