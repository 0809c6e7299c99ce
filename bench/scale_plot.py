"""A plot as SVG: what a put and a get cost at how many documents, both axes logarithmic."""
import math

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 110, 24, 48
SERIES = (("put_us", "put", "#b3541e"), ("get_us", "get", "#20639b"))


def draw(rows):
    most = max(row[key] for row in rows for key, _, _ in SERIES)
    least = min(row[key] for row in rows for key, _, _ in SERIES)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    first, last = (math.log10(rows[at]["documents"]) for at in (0, -1))

    def x(documents):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(documents) - first) / (last - first)

    def y(value):
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(value)) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="13" role="img">',
           "<title>CPU time of a put and a get, by the number of documents in the folder</title>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for power in range(low, high + 1):
        value = 10 ** power
        out.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">'
                   f"{value:g} µs</text>")
    for row in rows:
        out.append(f'<text x="{x(row["documents"]):.1f}" y="{HEIGHT - BOTTOM + 20}" '
                   f'text-anchor="middle">{row["documents"]:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
               "documents in one folder</text>")
    for key, name, colour in SERIES:
        points = [(x(row["documents"]), y(row[key])) for row in rows]
        path = "L".join(f"{across:.1f} {down:.1f}" for across, down in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}"/>'
                for across, down in points]
        across, down = points[-1]
        out.append(f'<text x="{across + 10:.1f}" y="{down + 4:.1f}" fill="{colour}">{name}: '
                   f"{rows[-1][key]:.0f} µs</text>")
    return "\n".join(out + ["</svg>", ""])
