"""Email: mailboxes read over IMAP, messages to contacts, and mail sent by SMTP."""
