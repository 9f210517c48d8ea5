"""How this machine is kept: its protection from viruses, and updates of its system. What is not found is no fault.

A ward may have a scanner of its own, and a system that is brought up to date by other means: that is told, not judged.
"""

import time
from pathlib import Path

DAY_S = 86_400
SIGNATURE_DAYS = 7
UPDATE_DAYS = 31
SIGNATURES = "var/lib/clamav"
LISTS = "var/lib/apt/lists"
REBOOT = "run/reboot-required"


def of_viruses(root: Path = Path("/")) -> tuple[list[str], list[str]]:
    """Faults, and what was seen."""
    newest = _newest(root / SIGNATURES, "*.c[vl]d")
    if newest is None:
        return [], ["ClamAV はありません。この機械の保護ソフトの定義を、区の決まりで更新してください"]
    days = _days_since(newest)
    if days > SIGNATURE_DAYS:
        return [f"ウイルス定義が {days} 日前のものです。freshclam を動かしてください。"], []
    return [], [f"ウイルス定義は {days} 日前のものです"]


def of_updates(root: Path = Path("/")) -> tuple[list[str], list[str]]:
    """Faults, and what was seen."""
    faults, seen = [], []
    if (root / REBOOT).exists():
        faults.append("更新の後の再起動が済んでいません。窓口の閉まっている時間に再起動してください。")
    newest = _newest(root / LISTS, "*")
    if newest is None:
        seen.append("OS の更新の記録が見つかりません。区の決まりで更新してください")
    elif (days := _days_since(newest)) > UPDATE_DAYS:
        faults.append(f"OS の更新を {days} 日確かめていません。apt-get update と upgrade を実行してください。")
    else:
        seen.append(f"OS の更新は {days} 日前に確かめられています")
    return faults, seen


def _newest(folder: Path, pattern: str) -> float | None:
    try:
        return max((path.stat().st_mtime for path in folder.glob(pattern) if path.is_file()), default=None)
    except OSError:
        return None


def _days_since(moment: float) -> int:
    return max(0, int((time.time() - moment) // DAY_S))
