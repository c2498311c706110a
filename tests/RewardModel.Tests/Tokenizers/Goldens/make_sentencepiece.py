"""Writes what transformers makes of small SentencePiece models, which are trained here, and a table of replacements in SentencePiece's own
format, which make_goldens.mjs needs. See README.md."""
import base64
import io
import json
import os
import sys
import types

import sentencepiece
import transformers.convert_slow_tokenizer  # noqa: F401, the package has a function of this name
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken

convert = sys.modules["transformers.convert_slow_tokenizer"]
folder = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


SENTENCES = read("sentences.txt").splitlines()
TEXTS = json.loads(read("texts.json"))


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
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


write("replacements.json", charsmap())
write("sentencepiece.json", list(sentencepiece_cases()))
