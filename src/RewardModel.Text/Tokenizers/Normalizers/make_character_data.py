"""Writes CharacterData.Table.cs, what Hugging Face's tokenizers library says about characters:
python3 make_character_data.py > CharacterData.Table.cs"""
import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

CODES = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
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


def ranges(codes):
    result = []
    for code in codes:
        if result and result[-1][1] == code - 1:
            result[-1][1] = code
        else:
            result.append([code, code])
    return [f"{first:X}-{last:X}" for first, last in result]


def is_removed(normalizer, code):
    return normalizer.normalize_str(f"a{chr(code)}a") == "aa"


def lower_runs():
    """Runs of capitals that lie 1 or 2 apart, with the distance to their small letters; those of several characters one by one."""
    lowercase = normalizers.Lowercase()
    runs = []
    for code in CODES:
        lower = lowercase.normalize_str(chr(code))
        if lower == chr(code):
            continue
        if len(lower) > 1:
            runs.append([code, code, 1, "+".join(f"{ord(character):X}" for character in lower)])
            continue
        distance = str(ord(lower) - code)
        last = runs[-1] if runs else None
        if last and last[3] == distance and code - last[1] in (1, 2) and (last[0] == last[1] or code - last[1] == last[2]):
            last[2] = code - last[1]
            last[1] = code
        else:
            runs.append([code, code, 1, distance])
    return [f"{first:X}-{last:X}/{step}:{result}" for first, last, step, result in runs]


canonical, compatible = normalizers.NFD(), normalizers.NFKD()
decompositions = [
    f"{code:X}=" + "+".join(f"{ord(character):X}" for character in compatible.normalize_str(chr(code)))
    for code in CODES
    if code not in SYLLABLES and compatible.normalize_str(chr(code)) != canonical.normalize_str(chr(code))
]
punctuation = pre_tokenizers.Punctuation("removed")
bert = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)

print("namespace RewardModel.Tokenizers.Normalizers;")
print()
print(f"// Written by make_character_data.py with tokenizers {tokenizers.__version__}: don't edit by hand.")
print("internal static partial class CharacterData")
print("{")
constant("CompatibilityTable", decompositions)
print()
constant("LowercaseTable", lower_runs())
print()
constant("PunctuationTable", ranges(code for code in CODES if len(punctuation.pre_tokenize_str(f"a{chr(code)}a")) == 2))
print()
constant("NonspacingMarkTable", ranges(code for code in CODES if is_removed(bert, code)))
print()
constant("MarkTable", ranges(code for code in CODES if is_removed(normalizers.StripAccents(), code)))
print("}")
