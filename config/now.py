"""What this machine's own clock says. The business day and every fact go by the store's clock instead."""

import time


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
