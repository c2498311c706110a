"""Draws icon.png, the packages' icon: a ranked list, the best answer on top. Needs nothing but Python."""
import pathlib
import struct
import zlib

SIZE, SAMPLES = 128, 4
BLUE, WHITE, PALE = (34, 102, 170), (255, 255, 255), (166, 196, 230)

# Rounded rectangles, later ones over earlier ones: left, top, right, bottom, radius, colour.
SHAPES = [
    (0, 0, 128, 128, 24, BLUE),
    (24, 28, 104, 46, 9, WHITE),
    (24, 55, 80, 73, 9, PALE),
    (24, 82, 56, 100, 9, PALE),
]


def is_in(x, y, left, top, right, bottom, radius):
    """Whether a point lies in a rounded rectangle: no farther than its radius from the rectangle of its corners' centres."""
    dx = max(left + radius - x, 0, x - (right - radius))
    dy = max(top + radius - y, 0, y - (bottom - radius))
    return dx * dx + dy * dy <= radius * radius


def pixel(column, row):
    """RGBA of a pixel: the mean of its samples."""
    red = green = blue = covered = 0
    for i in range(SAMPLES):
        for j in range(SAMPLES):
            x, y = column + (i + 0.5) / SAMPLES, row + (j + 0.5) / SAMPLES
            colour = next((shape[5] for shape in reversed(SHAPES) if is_in(x, y, *shape[:5])), None)
            if colour:
                red, green, blue, covered = red + colour[0], green + colour[1], blue + colour[2], covered + 1
    if not covered:
        return bytes(4)
    return bytes([round(red / covered), round(green / covered), round(blue / covered), round(255 * covered / SAMPLES**2)])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(column, row) for column in range(SIZE)) for row in range(SIZE))
pathlib.Path(__file__).with_name("icon.png").write_bytes(
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows, 9))
    + chunk(b"IEND", b""))
