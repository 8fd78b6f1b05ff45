"""How many of the ways that mutmut broke the code a test noticed, file by file: ``make mutants`` ends with it.

Exit status 1 where a file has less than 85 in a hundred (or none was tried): its tests hold less than they seem to.
"""

import json
import sys
from pathlib import Path
from typing import Final

_WANTED: Final = 0.85
_SURVIVED: Final = (0, 5, 33)  # mutmut's own: every test passed, or no test calls the function
_RESULTS: Final = Path("mutants")


def main() -> int:
    """Print a line a file, with the mutants that nothing noticed below it."""
    short = tried_at_all = False
    for meta in sorted(_RESULTS.rglob("*.py.meta")):
        found: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        tried = {name: code for name, code in found.items() if code is not None}
        survivors = [name for name, code in tried.items() if code in _SURVIVED]
        if not tried:
            continue
        tried_at_all = True
        share = 1 - len(survivors) / len(tried)
        short |= share < _WANTED
        sys.stdout.write(f"{meta.relative_to(_RESULTS).with_suffix('')}: {share:.1%} of {len(tried)} noticed\n")
        sys.stdout.writelines(f"    {name}\n" for name in survivors)
    return int(short or not tried_at_all)


if __name__ == "__main__":
    sys.exit(main())
