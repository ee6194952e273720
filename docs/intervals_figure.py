"""Draws docs/intervals.svg from examples/simulation/results.csv: python docs/intervals_figure.py"""
import csv, pathlib

root = pathlib.Path(__file__).parent.parent
rows = list(csv.reader(open(root / "examples/simulation/results.csv", encoding="utf8")))[1:]
parts = {}
for part, _, _, _, measure, _, _, share, *_ in rows:
    for lead, place in [("classes interval covers", 0), ("SAMPLER interval covers", 1)]:
        if measure.startswith(lead):
            parts.setdefault(part.removeprefix("new classes, "), ([], []))[place].append(float(share))
x = lambda share: 250 + 440 * share
height = 60 + 22 * len(parts)
out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" font-family="sans-serif" font-size="12">',
       f'<rect width="720" height="{height}" fill="#ffffff"/>',
       f'<rect x="{x(0.93):.1f}" y="20" width="{440 * 0.05:.1f}" height="{height - 50}" fill="#cfe3d4"/>']
for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
    out.append(f'<line x1="{x(share):.1f}" x2="{x(share):.1f}" y1="20" y2="{height - 30}" stroke="#dddddd"/>')
    out.append(f'<text x="{x(share):.1f}" y="{height - 12}" text-anchor="middle" fill="#444444">{share:.0%}</text>')
for number, (part, (classes, sampler)) in enumerate(parts.items()):
    y = 34 + 22 * number
    out.append(f'<text x="240" y="{y + 4}" text-anchor="end" fill="#222222">{part}</text>')
    out += [f'<circle cx="{x(share):.1f}" cy="{y}" r="4" fill="none" stroke="#b4562c"/>' for share in sampler]
    out += [f'<circle cx="{x(share):.1f}" cy="{y}" r="4" fill="#1f6f50" fill-opacity="0.6"/>' for share in classes]
(root / "docs/intervals.svg").write_text("\n".join(out + ["</svg>"]) + "\n", encoding="utf8")
