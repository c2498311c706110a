"""Writes what Hugging Face's tokenizers library gives for small tokenizers that are made here, and for each of its components:
python3 make_goldens.py DIRECTORY. Needs tokenizers, sentencepiece for its table of replacements and its model files, and transformers
for what it converts those into. The trained vocabularies differ a little from run to run."""
import base64
import io
import json
import os
import sys
import types

import sentencepiece
import transformers.convert_slow_tokenizer  # noqa: F401, the package has a function of this name
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

convert = sys.modules["transformers.convert_slow_tokenizer"]

SENTENCES = """
The harbour was quiet before sunrise, and only the gulls were awake.
Nobody had told the baker that the flour would arrive late again.
She counted seventeen lanterns along the pier; two of them didn't burn.
"Where's the ferry?" he asked. "It won't come today," said the clerk.
In 1987 the bridge was closed for 45 days, which cost 3,200 crowns a day.
We've painted the boats red, blue and green, and they're drying now.
Rain fell on the roofs, on the ropes, on the empty crates and the cats.
I'm sure you'll find the key under the third stone from the left.
The café serves crème brûlée and naïve little piñatas at Zoë's corner.
Der Hafenmeister grüßt die Fischer, während die Möwen über dem Wasser kreisen.
El niño corrió por la calle; su mañana empezó con una canción.
Вечером рыбаки чинят сети и рассказывают детям старые истории.
Το λιμάνι ήταν ήσυχο και οι γλάροι κοιμόντουσαν στις στέγες.
海鸥在港口上空盘旋，渔夫们正在修补渔网。
今日は船が来ないので、港はとても静かです。
오늘은 배가 오지 않아서 항구가 아주 조용합니다.
كان الميناء هادئا قبل شروق الشمس.
हिन्दी में लिखा हुआ एक छोटा वाक्य।
def unload(crates): return [crate for crate in crates if crate.weight < 20]
Boats, boats, boats: nine new boats for the nine new captains.
""".strip().split("\n")

TEXTS = SENTENCES[:19:2] + [
    "", " ", "  ", "\n", "\t \r\n", "a", "A", "é", "e\u0301", "E\u0301\u0323", "ﬁne ﬂour", "½ cup", "x²", "①②", "Å\u212B", "ÅÄÖ åäö",
    "İstanbul ISPARTA ı", "ΣΊΣΥΦΟΣ", "Straße STRASSE ẞ", "ǅ ǆ Ǆ", "ſ 'ſ K 'ſx 'ſsx 'LLx", "hello", " hello", "hello ",
    "  hello   world  ", "hello\n\nworld\n", "one\ttwo", "a\u00A0b\u2003c\u3000d", "don't DON'T we'LL they've", "can't've", "...",
    "?!?!", "a.b,c;d:e", "(x) [y] {z}", "$5.00 + 7% = £3^2~`|<>", "foo_bar-baz", "¡hola! ¿qué?", "«a» “b” ‘c’ — …",
    "x\u200Bb\u200Cc\u200Dd\uFEFFe", "\u0000a\u0001b\u007Fc\u0085d\u009Fe", "soft\u00ADhyphen", "\u2028a\u2029b", "\uFFFDx", "\uE000p",
    "1", "12", "123", "1234567", "3.14159", "1,000,000", "٣٤٥", "Ⅷ x", "२०२४", "中文", "你好，世界！", "日本語のテスト", "カタカナ ﾊﾝｶｸ", "ｆｕｌｌ　ｗｉｄｔｈ",
    "한국어", "\u1112\u1161\u11AB\u1100", "中A文b中", "𠀀𪜀𫠝", "שלום עולם", "مرحبا بالعالم", "नमस्ते", "ไทย", "\U0001F600", "a\U0001F600b",
    "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1E9\U0001F1EA", "\U0001F44D\U0001F3FD", "\U0001D400\U0001D7CE", "Ⓐⓑ🄰",
    "q\u0307\u0323", "\u0301a", "a\u0301\u0301", "Z\u0351\u036B\u0343", "ёЁ йЙ", "ạ̈", "ガ ｶﾞ が", "[CLS] a [SEP] b [MASK]", "<s>a</s>",
    "<mask> <unk>", "x<mask>y", "a <mask> b", "a  <mask>  b", "word wordy sword word", "Word", "<TOOL>x<tool>", "[UNK]", "a" * 100,
    "a" * 101, "hellohellohello", "unharboured", "thequickbrownfox", "▁a▁b", "a▁▁b", "Ġhello", "<0x41>", "##ing", "ing</w>",
    "xyzzy qqq", "Ω≈ç√∫", "\u00AA\u00BA", "²³¹", "a\u0338b", "℃ ㎏ ㍿", "ǆ", "ŉ ẚ", "Ａ１！",
]

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def charsmap():
    """A small table of replacements, in SentencePiece's own format."""
    pairs = {"ﬁ": "fi", "ﬂ": "fl", "½": "1/2", "²": "2", "é": "E", "e\u0301": "é", "\u00AD": "", "\u3000": " ", "\u00A0": " ",
             "\u212B": "\u00C5", "①": "1", "㎏": "kg",
             "ガ": "GA", "Ａ": "A", "\u200B": "", "カ": "ka", "\t": " ", "中": "Z", "\U0001F600": ":-)", "q": "k", "q\u0307": "Q"}
    with open("rules.tsv", "w", encoding="utf-8") as file:
        for source, target in pairs.items():
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    model = train_sentencepiece("unigram", normalization_rule_tsv="rules.tsv")
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def train_sentencepiece(kind, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4), model_writer=model, model_type=kind, vocab_size=options.pop("vocab_size", 380),
        hard_vocab_limit=False, num_threads=1, minloglevel=2, **options)
    return model.getvalue()


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    return tokenizer


def template(cls, sep, cls_id, sep_id):
    return processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=f"{cls} $A {sep} $B:1 {sep}:1", special_tokens=[(cls, cls_id), (sep, sep_id)])


def bert(**options):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**options)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False))
    tokenizer.post_processor = template("[CLS]", "[SEP]", 1, 2)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def bert_processing():
    tokenizer = bert(lowercase=False)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return tokenizer


def unigram(precompiled, **model_options):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(base64.b64decode(precompiled)), normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    train(tokenizer, trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>", show_progress=False))
    if model_options:
        vocabulary = [tuple(piece) for piece in json.loads(tokenizer.to_str())["model"]["vocab"]]
        vocabulary += [(f"<0x{value:02X}>", -20.0) for value in range(256)]
        tokenizer.model = models.Unigram(vocabulary, unk_id=3, **model_options)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def unigram_first(precompiled):
    """As T5 and XLM-R of today: words first, a sign before the first only."""
    tokenizer = unigram(precompiled)
    tokenizer.normalizer = normalizers.Strip()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")])
    return tokenizer


def word_level():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    train(tokenizer, trainers.WordLevelTrainer(vocab_size=200, special_tokens=SPECIAL, show_progress=False))
    return tokenizer


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train(tokenizer, trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    return tokenizer


def byte_level(steps, ignore_merges=False, **options):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    train(tokenizer, trainers.BpeTrainer(
        vocab_size=380, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, special_tokens=["<s>", "</s>"]))
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(), processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 0)])])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def affixes():
    """As CLIP's and as the first BPE tokenizers: signs at the ends of words, and before their later parts."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    train(tokenizer, trainers.BpeTrainer(
        vocab_size=400, show_progress=False, special_tokens=["<unk>"], continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    tokenizer.decoder = decoders.BPEDecoder()
    return tokenizer


def byte_fallback():
    """As Llama's before tokenizer.json knew Metaspace."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{value:02X}>" for value in range(256)]
    train(tokenizer, trainers.BpeTrainer(vocab_size=430, show_progress=False, special_tokens=tokens, limit_alphabet=60))
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return tokenizer


def unknown_characters(fuse):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=fuse))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    train(tokenizer, trainers.BpeTrainer(vocab_size=200, show_progress=False, special_tokens=["<unk>"], limit_alphabet=40))
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def added_tokens():
    tokenizer = bert(lowercase=True)
    tokenizer.add_tokens([
        AddedToken("word", single_word=True), AddedToken("<tool>", normalized=True), AddedToken("hello", normalized=False),
        AddedToken("aaa", lstrip=True, rstrip=True), AddedToken("naive", normalized=True),
        AddedToken("12", single_word=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True), AddedToken("<s>"), AddedToken("</s>", rstrip=True)])
    return tokenizer


def falcon():
    return byte_level([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])


def tokenizers(precompiled):
    byte_level_end = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    yield "bert-uncased", bert(lowercase=True)
    yield "bert-cased", bert_processing()
    yield "unigram", unigram(precompiled)
    yield "unigram-bytes", unigram(precompiled, byte_fallback=True)
    yield "unigram-first", unigram_first(precompiled)
    yield "word-level", word_level()
    yield "roberta", roberta()
    yield "llama3", byte_level([split(LLAMA3), byte_level_end], ignore_merges=True)
    yield "qwen2", byte_level([split(QWEN2), byte_level_end])
    yield "falcon", falcon()
    yield "affixes", affixes()
    yield "byte-fallback", byte_fallback()
    yield "unknown-fused", unknown_characters(True)
    yield "unknown-apart", unknown_characters(False)
    yield "added-tokens", added_tokens()


def encodings(tokenizer, texts):
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        with_special = tokenizer.encode(text, add_special_tokens=True).ids
        start = next(i for i in range(len(with_special) - len(ids) + 1) if with_special[i:i + len(ids)] == ids)
        around = [with_special[:start], with_special[start + len(ids):]]
        yield {"ids": " ".join(map(str, ids)), "around": around,
               "decoded": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids, skip_special_tokens=True)}


def pair_of(tokenizer):
    encoding = tokenizer.encode("harbour", "boats", add_special_tokens=True)
    return {"ids": encoding.ids, "types": encoding.type_ids}


def component_of(wrapped, name):
    tokenizer = Tokenizer(models.BPE())
    setattr(tokenizer, name, wrapped)
    return json.loads(tokenizer.to_str())[name]


def normalizer_cases(precompiled):
    n = normalizers
    for item in [
            n.NFC(), n.NFD(), n.NFKC(), n.NFKD(), n.Lowercase(), n.StripAccents(), n.Nmt(), n.Strip(), n.Strip(right=False), n.Prepend("▁"),
            n.Replace("a", "bb"), n.Replace(Regex(r"\s+"), "$0_"), n.Replace(Regex(r"^\w|\w$"), "#"), n.BertNormalizer(),
            n.BertNormalizer(lowercase=False), n.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=False),
            n.BertNormalizer(strip_accents=True, lowercase=False), n.Precompiled(base64.b64decode(precompiled)), n.ByteLevel(),
            n.Sequence([n.NFD(), n.StripAccents(), n.Lowercase()])]:
        yield {"json": component_of(item, "normalizer"), "results": [item.normalize_str(text) for text in TEXTS]}


def pre_tokenizer_cases():
    p = pre_tokenizers
    behaviors = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    items = [p.BertPreTokenizer(), p.Whitespace(), p.WhitespaceSplit(), p.Digits(), p.Digits(individual_digits=True), p.ByteLevel(),
             p.ByteLevel(add_prefix_space=False), p.ByteLevel(add_prefix_space=False, use_regex=False), split(LLAMA3), split(QWEN2)]
    items += [p.Punctuation(behavior) for behavior in behaviors]
    items += [p.Split(Regex(r"\w+|[.,]"), behavior, invert) for behavior in behaviors for invert in (False, True)]
    items += [p.Split(" ", behavior) for behavior in behaviors]
    items += [p.Metaspace(prepend_scheme=scheme, split=cut) for scheme in ("always", "first", "never") for cut in (True, False)]
    items += [p.Sequence([p.WhitespaceSplit(), p.Metaspace(prepend_scheme=scheme)]) for scheme in ("always", "first")]
    items += [p.Sequence([p.Digits(individual_digits=True), p.ByteLevel(add_prefix_space=True)])]
    for item in items:
        yield {"json": component_of(item, "pre_tokenizer"),
               "results": [[piece for piece, _ in item.pre_tokenize_str(text)] for text in TEXTS]}


def decoder_cases():
    d = decoders
    lists = [["▁a", "▁▁b", "c▁"], ["##a", "##b", "c", "##", "d##"], ["a</w>", "b", "c</w>"],
             [" a ", "'", "b", "n't", "do", "not", "'s", ".", "?"],
             ["<0xC3>", "<0xA9>", "a", "<0xFF>", "<0x41>"], ["Ġa", "Ã", "©", "Ċ"], ["a b", "Ġ"],
             ["_x_", "__", "y"], ["aa", "a"], ["x"], ["do not", "I", "'m"]]
    items = [d.ByteLevel(), d.WordPiece(), d.WordPiece("##", False), d.WordPiece("_"), d.Metaspace(), d.Metaspace(prepend_scheme="never"),
             d.BPEDecoder(), d.BPEDecoder("b"), d.ByteFallback(), d.Fuse(), d.Strip("_", 1, 1),
             d.Replace("a", "xy"), d.Replace(Regex("[a-c]+"), "z"),
             d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])]
    for item in items:
        yield {"json": component_of(item, "decoder"), "results": [item.decode(tokens) for tokens in lists]}, lists


def sentencepiece_cases():
    """What transformers makes of SentencePiece models, by tokenizer class."""
    bert_like = {"control_symbols": "[PAD],[CLS],[SEP],[MASK]", "bos_id": -1, "eos_id": -1, "unk_piece": "[UNK]"}
    plain = {"normalization_rule_tsv": "rules.tsv", "user_defined_symbols": "<tool>"}
    for converter, options, settings in [
            (convert.T5Converter, {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}, {"_extra_ids": 3}),
            (convert.T5Converter, {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}, {"_extra_ids": 3, "legacy": False}),
            (convert.XLMRobertaConverter, {}, {}),
            (convert.AlbertConverter, bert_like | {"unk_piece": "<unk>"}, {"keep_accents": False, "do_lower_case": True}),
            (convert.DebertaV2Converter, bert_like, {"do_lower_case": False, "split_by_punct": True})]:
        model = train_sentencepiece("unigram", **plain, **options)
        with open("model.spm", "wb") as file:
            file.write(model)
        pieces = [piece.piece for piece in sentencepiece_model_pb2.ModelProto.FromString(model).pieces]
        ids = {"<s>": 0, "</s>": 2} if converter is convert.XLMRobertaConverter else {piece: i for i, piece in enumerate(pieces)}
        fake = types.SimpleNamespace(vocab_file="model.spm", convert_tokens_to_ids=ids.get, **settings)
        tokenizer = converter(fake).converted()
        vocabulary = tokenizer.get_vocab()
        # What transformers' classes add: their special tokens, of which all masks but DeBERTa's take the space before them.
        for token in ("<s>", "</s>", "<unk>", "<pad>", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "<mask>", "[MASK]"):
            is_mask = "mask" in token.lower() and converter is not convert.DebertaV2Converter
            if token in vocabulary:
                tokenizer.add_special_tokens([AddedToken(token, lstrip=is_mask, normalized=False)])
        names = {"_extra_ids": "extra_ids"}
        yield {"class": converter.__name__.replace("Converter", "Tokenizer"), "model": base64.b64encode(model).decode(),
               "config": {names.get(name, name): value for name, value in settings.items()},
               "ids": [" ".join(map(str, tokenizer.encode(text, add_special_tokens=False).ids)) for text in TEXTS]}


def write(name, value):
    with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


table = charsmap()
for name, tokenizer in tokenizers(table):
    write(f"{name}.json", {
        "tokenizer": json.loads(tokenizer.to_str()), "cases": list(encodings(tokenizer, TEXTS)), "pair": pair_of(tokenizer)})
decoded = list(decoder_cases())
write("components.json", {
    "normalizers": list(normalizer_cases(table)), "pre_tokenizers": list(pre_tokenizer_cases()),
    "decoders": [case for case, _ in decoded], "decoder_tokens": decoded[0][1]})
write("texts.json", TEXTS)
write("sentencepiece.json", list(sentencepiece_cases()))
