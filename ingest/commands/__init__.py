"""The command line, a file a verb: the only room that may import channels and router."""
