"""The world's bytes to contacts, and outgoing messages to the world."""
