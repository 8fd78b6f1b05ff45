"""Text messages: a provider tells us of each as it comes, and is asked for what it could not tell."""
