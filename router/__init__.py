"""Contacts to records: who is it, what is it, and what becomes of it."""
