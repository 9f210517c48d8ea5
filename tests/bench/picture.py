"""The figures of the fan-out part as a picture: fanout.svg beside this file, made anew by each whole run."""

from html import escape
from pathlib import Path

PLACE = Path(__file__).parent / "fanout.svg"
WIDTH, ROW, LEFT, TOP, RIGHT = 720, 34, 110, 58, 150
TITLES = (
    "One frame to 10,000 tabs, one core for the server",
    "milliseconds to the last tab (processor microseconds a delivery)",
)
FONT = "font-family='system-ui, sans-serif'"


def draw(figures: dict[str, tuple[float, float]], floor: str) -> None:
    """`figures`: (milliseconds to the last tab, processor microseconds a delivery) by name; `floor` is a line too."""
    rows = sorted(figures.items(), key=lambda row: row[1][0])
    longest = max(last for last, _ in figures.values())
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = TOP + ROW * len(rows) + 16
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' {FONT} font-size='14'>",
        f"<title>{escape(TITLES[0])}</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
        f"<text x='16' y='24' font-weight='600' fill='#1a1a1a'>{escape(TITLES[0])}</text>",
        f"<text x='16' y='44' font-size='12' fill='#555555'>{escape(TITLES[1])}</text>",
    ]
    for place, (name, (last, cpu)) in enumerate(rows):
        y = TOP + ROW * place
        colour = "#1f5fa8" if name == "junban" else "#b9bfc7"
        lines += [
            f"<text x='{LEFT - 10}' y='{y + 21}' text-anchor='end' fill='#1a1a1a'>{escape(name)}</text>",
            f"<rect x='{LEFT}' y='{y + 6}' width='{last * scale:.1f}' height='{ROW - 12}' fill='{colour}'/>",
            f"<text x='{LEFT + last * scale + 8:.1f}' y='{y + 21}' fill='#1a1a1a'>{last:.0f} ms ({cpu:.1f} µs)</text>",
        ]
    x = LEFT + figures[floor][0] * scale
    lines += [
        f"<line x1='{x:.1f}' y1='{TOP}' x2='{x:.1f}' y2='{height - 12}' stroke='#1a1a1a' stroke-dasharray='4 3'/>",
        "</svg>",
    ]
    PLACE.write_text("\n".join(lines) + "\n", encoding="utf-8")
