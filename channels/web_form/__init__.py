"""The online complaint and feedback form: public pages, one thing at a time, in English and Welsh."""
