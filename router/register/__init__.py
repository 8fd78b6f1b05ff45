"""The case register: its tables and migrations, finding candidates in it, and taking people and cases into it."""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
