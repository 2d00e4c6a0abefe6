"""What the platform's status page says, read once in the background and never waited for."""
