"""The folder in which an office keeps everything: in earnest or for practice, never both."""

from pathlib import Path

PRACTICE_MARK = "practice"  # a folder with this file never becomes an office in earnest, nor the other way round
STORE_FOLDER = "valkey"
KEYS_FOLDER = "keys"  # where nothing else is said: of what opens contacts, never to be backed up with the rest
KIOSK_FOLDER = "kiosk"  # the token of a ticket machine on this computer, and the request that is open
SLIPS_FOLDER = "slips"  # in it, where there is no printer


class WrongFolder(RuntimeError):
    """Practice and earnest never share a folder: the practice clock would open wrong days."""


def mark_folder(folder: Path, *, practice: bool) -> None:
    """Make the folder and mark one for practice. Raises WrongFolder, and OSError where it cannot be made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark, is_used = folder / PRACTICE_MARK, (folder / STORE_FOLDER).exists()
    if practice and is_used and not mark.exists():
        raise WrongFolder(f"{folder} は本番のデータです。練習には別のフォルダーを --data で指定してください。")
    if not practice and mark.exists():
        raise WrongFolder(f"{folder} は練習用のデータです。本番には別のフォルダーを --data で指定してください。")
    if practice:
        mark.touch()
