"""Writes CanonicalData.Table.cs, the Unicode data of the Python it runs in as far as Hugging Face's tokenizers library knows it, which
is of an older version: python3 make_canonical_data.py > CanonicalData.Table.cs"""
import sys
import unicodedata

import tokenizers
from tokenizers import normalizers

SYLLABLES = range(0xAC00, 0xD7A4)


def rows(entries):
    """Lines of at most 120 characters, as the parts of one C# string constant."""
    line = ""
    for entry in entries:
        if len(line) + 1 + len(entry) > 120:
            yield line + " "
            line = ""
        line = f"{line} {entry}" if line else entry
    yield line


def constant(name, entries):
    print(f"    private const string {name} =")
    lines = list(rows(entries))
    for i, line in enumerate(lines):
        print(f'        "{line}"' + (";" if i == len(lines) - 1 else " +"))


def is_mark_of_the_library(code):
    """Whether it sorts the mark: one of class 1 before it, or it before one of class 240."""
    texts = [f"a{chr(code)}\u0334", f"a\u0345{chr(code)}"]
    return any(normalizers.NFD().normalize_str(text) != text for text in texts)


decompositions, classes = [], []
for code in range(sys.maxunicode + 1):
    character = chr(code)
    parts = unicodedata.decomposition(character)
    if parts and not parts.startswith("<") and code not in SYLLABLES and normalizers.NFD().normalize_str(character) != character:
        recomposed = unicodedata.normalize("NFC", character) == character
        decompositions.append(f"{code:X}{'=' if recomposed else '!'}" + "+".join(f"{int(part, 16):X}" for part in parts.split()))
    combining_class = unicodedata.combining(character)
    if combining_class and is_mark_of_the_library(code):
        if classes and classes[-1][1] == code - 1 and classes[-1][2] == combining_class:
            classes[-1][1] = code
        else:
            classes.append([code, code, combining_class])

print("namespace RewardModel.Tokenizers.Normalizers;")
print()
print(f"// Written by make_canonical_data.py from Unicode {unicodedata.unidata_version}, "
      f"as far as tokenizers {tokenizers.__version__} knows it: don't edit by hand.")
print("internal static partial class CanonicalData")
print("{")
constant("DecompositionTable", decompositions)
print()
constant("CombiningClassTable", [f"{first:X}-{last:X}:{value}" for first, last, value in classes])
print("}")
