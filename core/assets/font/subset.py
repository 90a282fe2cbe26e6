"""Makes the font of visible signatures from DejaVu Sans Condensed 2.37 (see LICENSE beside this file).

    pip install fonttools==4.68.0
    python subset.py /usr/share/fonts/truetype/dejavu/DejaVuSansCondensed.ttf

Keeps the characters of WinAnsiEncoding (Windows code page 1252, ISO 32000-2 annex D) as simple outlines,
without hints, kerning and names. Writes `latin.ttf.zlib`, which goes into PDF files as it is, and
`../../src/pades/appearance/metrics.rs`. The same input and fonttools give the same bytes.
"""

import io
import pathlib
import sys
import zlib

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).parent
TABLES = ["cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp"]


def character(code):
    try:
        return ord(bytes([code]).decode("cp1252"))
    except UnicodeDecodeError:
        return None


def scaled(value, font):
    return round(value * 1000 / font["head"].unitsPerEm)


font = TTFont(sys.argv[1], recalcTimestamp=False)
characters = {code: character(code) for code in range(32, 256) if code != 127}
characters = {code: point for code, point in characters.items() if point is not None}
options = Options()
options.hinting = False
options.layout_features = []
options.notdef_outline = True
options.drop_tables += [table for table in font.keys() if table not in TABLES]
subsetter = Subsetter(options)
subsetter.populate(unicodes=characters.values())
subsetter.subset(font)
# Simple outlines only: nothing refers to another glyph.
glyphs = font.getGlyphSet()
for name in font.getGlyphOrder():
    if font["glyf"][name].isComposite():
        recording = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(recording)
        pen = TTGlyphPen(None)
        recording.replay(pen)
        font["glyf"][name] = pen.glyph()
font["cmap"].tables = [t for t in font["cmap"].tables if (t.platformID, t.platEncID, t.format) == (3, 1, 4)]
assert len(font["cmap"].tables) == 1
for table in list(font.keys()):
    if table not in TABLES + ["GlyphOrder"]:
        del font[table]
out = io.BytesIO()
font.save(out, reorderTables=False)
data = out.getvalue()
(HERE / "latin.ttf.zlib").write_bytes(zlib.compress(data, 9))

best = font["cmap"].getBestCmap()
widths = [
    scaled(font["hmtx"][best[characters[code]]][0], font) if code in characters else 0
    for code in range(32, 256)
]
rows = [", ".join(map(str, widths[i : i + 16])) for i in range(0, len(widths), 16)]
source = TTFont(sys.argv[1])
head, hhea, os2 = source["head"], source["hhea"], source["OS/2"]
box = [scaled(value, source) for value in (head.xMin, head.yMin, head.xMax, head.yMax)]
lines = "\n".join(f"    {row}, //" for row in rows)
text = f"""//! Measures of the bundled font, in thousandths of its size. Written by `assets/font/subset.py`.

/// Length of the font file before compression, in bytes.
pub(super) const FONT_FILE_BYTES: i64 = {len(data):_};
/// Above the base line.
pub(super) const ASCENT: i32 = {scaled(hhea.ascent, source)};
/// Below the base line.
pub(super) const DESCENT: i32 = {scaled(hhea.descent, source)};
/// Height of capital letters.
pub(super) const CAP_HEIGHT: i32 = {scaled(getattr(os2, 'sCapHeight', 0) or 1493, source)};
/// The box around all glyphs.
pub(super) const BOUNDING_BOX: [i64; 4] = {box};
/// Advance widths by WinAnsi code, from 32; 0 where the encoding has no character.
pub(super) const WIDTHS: [u16; 224] = [
{lines}
];
"""
(HERE / "../../src/pades/appearance/metrics.rs").resolve().write_text(text)
print(len(data), len(zlib.compress(data, 9)))
