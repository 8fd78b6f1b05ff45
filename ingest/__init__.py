"""The spine: what a contact is, and the log it is written on."""
