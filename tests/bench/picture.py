"""The figures of the fan-out part as a picture: fanout.svg beside this file, made anew by each whole run."""

from html import escape
from pathlib import Path

PLACE = Path(__file__).parent / "fanout.svg"
WIDTH, ROW, LEFT, TOP, RIGHT = 720, 34, 110, 58, 150
TITLES = (
    "One frame to 10,000 tabs, one core for the server",
    "processor microseconds a delivery, and how many times the floor",
)
FONT = "font-family='system-ui, sans-serif'"


def draw(cpu_us: dict[str, float], floor: str) -> None:
    """`cpu_us`: processor time a delivery by name; the `floor` is a line as well.

    Not the milliseconds to the last tab: they are those of whatever else a machine does, too.
    """
    rows = sorted(cpu_us.items(), key=lambda row: row[1])
    scale = (WIDTH - LEFT - RIGHT) / max(cpu_us.values())
    height = TOP + ROW * len(rows) + 16
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' {FONT} font-size='14'>",
        f"<title>{escape(TITLES[0])}</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
        f"<text x='16' y='24' font-weight='600' fill='#1a1a1a'>{escape(TITLES[0])}</text>",
        f"<text x='16' y='44' font-size='12' fill='#555555'>{escape(TITLES[1])}</text>",
    ]
    for place, (name, cpu) in enumerate(rows):
        y, words = TOP + ROW * place, f"{cpu:.1f} µs ({cpu / cpu_us[floor]:.2f}x)"
        colour = "#1f5fa8" if name == "junban" else "#b9bfc7"
        lines += [
            f"<text x='{LEFT - 10}' y='{y + 21}' text-anchor='end' fill='#1a1a1a'>{escape(name)}</text>",
            f"<rect x='{LEFT}' y='{y + 6}' width='{cpu * scale:.1f}' height='{ROW - 12}' fill='{colour}'/>",
            f"<text x='{LEFT + cpu * scale + 8:.1f}' y='{y + 21}' fill='#1a1a1a'>{words}</text>",
        ]
    x = LEFT + cpu_us[floor] * scale
    lines += [
        f"<line x1='{x:.1f}' y1='{TOP}' x2='{x:.1f}' y2='{height - 12}' stroke='#1a1a1a' stroke-dasharray='4 3'/>",
        "</svg>",
    ]
    PLACE.write_text("\n".join(lines) + "\n", encoding="utf-8")
