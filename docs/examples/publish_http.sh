#!/bin/sh
# SPDX-License-Identifier: CC0-1.0
# Hand over a contact by HTTP with curl. CONTACTS_URL is where the service is, CONTACTS_KEY your key.
# Usage: publish_http.sh KEY CONTACT.json
set -eu

# The key goes in by standard input, so that nobody sees it among the running commands. curl tries 408, 500 and 503 again, after Retry-After.
printf 'header = "Authorization: Bearer %s"\n' "$CONTACTS_KEY" |
  curl --config - --silent --show-error --fail-with-body --max-time 60 --retry 10 --retry-connrefused \
    --header "Idempotency-Key: $1" --header 'Content-Type: application/json' --data-binary "@$2" "$CONTACTS_URL/contacts"
