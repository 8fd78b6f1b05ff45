# SPDX-License-Identifier: CC0-1.0
"""Hand over a contact, with a file, by HTTP. Needs Python 3.11 and nothing else.

CONTACTS_URL is where the service is, CONTACTS_KEY your key. Usage: publish_http.py KEY CONTACT.json [FILE...]
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path


def send(path: str, key: str, body: bytes, content_type: str) -> dict:
    """Send until there is an answer. The same key with the same body is one contact, however often it is sent."""
    headers = {
        "Authorization": f"Bearer {os.environ['CONTACTS_KEY']}",
        "Idempotency-Key": key,
        "Content-Type": content_type,
    }
    request = urllib.request.Request(os.environ["CONTACTS_URL"] + path, body, headers)
    wait = 1
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 408:
                raise SystemExit(f"{error.code}: {error.read().decode()}") from None  # to be mended, not sent again
            wait = int(error.headers.get("Retry-After", wait))
        except OSError as error:
            print(f"No answer ({error}); trying again.", file=sys.stderr)
        time.sleep(wait)
        wait = min(2 * wait, 60)


def main() -> None:
    """Upload the files, then the contact that names them. Prints what the person can be told."""
    key, contact, *files = sys.argv[1:]
    told = json.loads(Path(contact).read_text(encoding="utf-8"))
    for file in map(Path, files):
        name = urllib.parse.urlencode({"name": file.name})
        kept = send(f"/attachments?{name}", key, file.read_bytes(), "application/octet-stream")
        told.setdefault("attachments", []).append({"digest": kept["digest"], "name": file.name})
    accepted = send("/contacts", key, json.dumps(told).encode(), "application/json")
    print(accepted["reference"])


main()
