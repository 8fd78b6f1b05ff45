"""Looks for mail that breaks the translator: ``uv run --with atheris python -m tests.channels.email.fuzz SEEDS -max_total_time=600``.

atheris steers by what code each mail reaches. SEEDS is a folder it reads mail from and writes new mail to; what it finds, a crash,
two seconds or memory past its limit, it writes beside the working folder, and that becomes a test in test_translate.py.
"""

import sys
from pathlib import Path
from time import process_time

import atheris  # pyright: ignore[reportMissingModuleSource, reportMissingImports] - it is fetched for a run

with atheris.instrument_imports(include=["channels.email", "email"]):  # pyright: ignore[reportAttributeAccessIssue]
    from tests.channels.email.sound import sound

SLOW = 2.0
"""Seconds of processor time; instrumented code is slower than it runs in service, so that this is strict."""
SAMPLES = Path(__file__).parent / "samples"


def one(raw: bytes) -> None:
    """Translate some bytes and hold them to what is promised of any."""
    started = process_time()
    sound(raw)
    took = process_time() - started
    if took > SLOW:
        raise TimeoutError(f"{took:.1f} s for {len(raw)} bytes")


if __name__ == "__main__":
    limits = ["-timeout=20", "-rss_limit_mb=1024", "-max_len=65536", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], str(SAMPLES)], one)
    atheris.Fuzz()
