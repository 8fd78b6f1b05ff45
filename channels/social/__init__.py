"""Social media, by way of a communication portal: posts in, and replies out."""
