// Writes what Hugging Face's tokenizers library gives for small tokenizers that are made here, and for each component. See README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "anything"));
const { Tokenizer, byteLevelAlphabet } = require("tokenizers");
const folder = import.meta.dirname;
const texts = readJson("texts.json");
const sentences = readFileSync(join(folder, "sentences.txt"), "utf8").trimEnd().split("\n");
// SentencePiece's own tool makes it; see make_sentencepiece.py.
const precompiled = { type: "Precompiled", precompiled_charsmap: readJson("replacements.json") };

const LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
  + "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2 = LLAMA3.replace("{1,3}", "");

function readJson(name) {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}

function writeJson(name, value) {
  const ascii = JSON.stringify(value).replace(/[^\0-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  writeFileSync(join(folder, name), `${ascii}\n`);
}

// Components, as tokenizer.json spells them.

const sequence = {
  normalizer: (...normalizers) => ({ type: "Sequence", normalizers }),
  preTokenizer: (...pretokenizers) => ({ type: "Sequence", pretokenizers }),
  decoder: (...decoders) => ({ type: "Sequence", decoders }),
};
const strip = (left, right) => ({ type: "Strip", strip_left: left, strip_right: right });
const replace = (pattern, content) => ({ type: "Replace", pattern, content });
const bertNormalizer = (options) => (
  { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true, ...options });
const split = (pattern, behavior = "Isolated", invert = false) => ({ type: "Split", pattern, behavior, invert });
const byteLevel = (options) => ({ type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true, ...options });
const byteLevelEnd = byteLevel({ use_regex: false });
const metaspace = (scheme = "always", cuts = true) => ({ type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split: cuts });
const digits = (individual) => ({ type: "Digits", individual_digits: individual });
const wordPieceDecoder = (prefix = "##", cleanup = true) => ({ type: "WordPiece", prefix, cleanup });
const llamaNormalizer = sequence.normalizer({ type: "Prepend", prepend: "▁" }, replace({ String: " " }, "▁"));
const llamaDecoder = sequence.decoder(
  replace({ String: "▁" }, " "), { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 });

function template(single, pair, ids) {
  const pieces = (text) => text.split(" ").map((piece) => {
    const [id, type] = piece.split(":");
    const name = id.startsWith("$") ? "Sequence" : "SpecialToken";
    return { [name]: { id: id.replace("$", ""), type_id: Number(type ?? 0) } };
  });
  const special = Object.fromEntries(Object.entries(ids).map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]));
  return { type: "TemplateProcessing", single: pieces(single), pair: pieces(pair), special_tokens: special };
}

const added = (id, content, options) => (
  { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...options });

function definition(parts) {
  return {
    version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null,
    decoder: null, model: { type: "BPE", vocab: {}, merges: [] }, ...parts,
  };
}

const load = (json) => Tokenizer.fromString(JSON.stringify(json));

// Vocabularies, of the words that the tokenizer itself makes of the sentences. Equals are taken in the order of their UTF-16 units, so that
// every run gives the same.

const inOrder = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const byCount = (counts) => [...counts].sort((a, b) => b[1] - a[1] || inOrder(a[0], b[0]));

function countWords(normalizer, preTokenizer) {
  const tokenizer = load(definition({ normalizer, pre_tokenizer: preTokenizer }));
  const counts = new Map();
  for (const sentence of sentences) {
    const text = normalizer ? tokenizer.getNormalizer().normalizeString(sentence) : sentence;
    const words = preTokenizer ? tokenizer.getPreTokenizer().preTokenizeString(text).map(([word]) => word) : [text];
    for (const word of words) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

/** The tokens and merges of byte-pair encoding: the most frequent pair first. */
function pairs(counts, size, { special = [], alphabet = [], alphabetLimit = Infinity, prefix = "", suffix = "" }) {
  const words = [...counts].map(([word, count]) => ({
    count,
    symbols: [...word].map((unit, i, units) => (i > 0 ? prefix : "") + unit + (i === units.length - 1 ? suffix : "")),
  }));
  const units = new Map(alphabet.map((unit) => [unit, Infinity]));
  for (const { count, symbols } of words) {
    for (const symbol of symbols) {
      units.set(symbol, (units.get(symbol) ?? 0) + count);
    }
  }
  const kept = byCount(units).slice(0, alphabetLimit).map(([unit]) => unit).sort(inOrder);
  const known = new Set(kept);
  const tokens = new Set([...special, ...kept]);
  const merges = [];
  while (tokens.size < size) {
    const found = new Map();
    for (const { count, symbols } of words) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        if (known.has(symbols[i]) && known.has(symbols[i + 1])) {
          const pair = `${symbols[i]} ${symbols[i + 1]}`;
          found.set(pair, (found.get(pair) ?? 0) + count);
        }
      }
    }
    if (found.size === 0) {
      break;
    }
    const [left, right] = byCount(found)[0][0].split(" ");
    const merged = left + right.slice(prefix.length);
    merges.push([left, right]);
    tokens.add(merged);
    known.add(merged);
    for (const { symbols } of words) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        if (symbols[i] === left && symbols[i + 1] === right) {
          symbols.splice(i, 2, merged);
        }
      }
    }
  }
  return { vocab: Object.fromEntries([...tokens].map((token, id) => [token, id])), merges };
}

function bpe(counts, size, options, settings) {
  return {
    type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: options.prefix ?? null,
    end_of_word_suffix: options.suffix ?? null, fuse_unk: false, byte_fallback: false, ignore_merges: false, ...settings,
    ...pairs(counts, size, options),
  };
}

/** Every character and the parts of words that stand for the most text, with the logarithms of their frequencies as scores. */
function unigram(counts, size, special, settings) {
  const found = new Map();
  for (const [word, count] of counts) {
    const units = [...word];
    for (let start = 0; start < units.length; start++) {
      for (let end = start + 1; end <= Math.min(units.length, start + 8); end++) {
        const piece = units.slice(start, end).join("");
        found.set(piece, (found.get(piece) ?? 0) + count);
      }
    }
  }
  const weights = [...found].map(([piece, count]) => [piece, [...piece].length === 1 ? Infinity : count * ([...piece].length - 1)]);
  const pieces = byCount(weights).slice(0, size - special.length).map(([piece]) => piece);
  const total = pieces.reduce((sum, piece) => sum + found.get(piece), 0);
  const scored = pieces.map((piece) => [piece, Number(Math.log(found.get(piece) / total).toFixed(6))]);
  return { type: "Unigram", unk_id: 3, vocab: [...special.map((token) => [token, 0]), ...scored], byte_fallback: false, ...settings };
}

// Tokenizers

const bertTokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
const robertaTokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
const addedAll = (tokens) => tokens.map((token, id) => added(id, token));

function bert(parts, normalizerOptions) {
  const normalizer = bertNormalizer(normalizerOptions);
  const counts = countWords(normalizer, { type: "BertPreTokenizer" });
  const { vocab } = pairs(counts, 400, { special: bertTokens, prefix: "##" });
  return definition({
    added_tokens: addedAll(bertTokens), normalizer, pre_tokenizer: { type: "BertPreTokenizer" }, decoder: wordPieceDecoder(),
    post_processor: template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", { "[CLS]": 1, "[SEP]": 2 }),
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab }, ...parts,
  });
}

function unigramTokenizer(parts, modelSettings) {
  const normalizer = sequence.normalizer(precompiled, strip(false, true), replace({ Regex: " {2,}" }, "▁"));
  const model = unigram(countWords(normalizer, metaspace()), 400, robertaTokens);
  if (modelSettings) {
    model.vocab.push(...byteTokens().map((token) => [token, -20]));
  }
  return definition({
    added_tokens: robertaTokens.map((token, id) => added(id, token, { lstrip: token === "<mask>" })), normalizer,
    pre_tokenizer: metaspace(), decoder: metaspace(), model: { ...model, ...modelSettings },
    post_processor: template("<s> $A </s>", "<s> $A </s> </s> $B </s>", { "<s>": 0, "</s>": 2 }), ...parts,
  });
}

function byteTokens() {
  return Array.from({ length: 256 }, (_, value) => `<0x${value.toString(16).toUpperCase().padStart(2, "0")}>`);
}

function byteLevelTokenizer(steps, modelSettings) {
  const preTokenizer = sequence.preTokenizer(...steps);
  const options = { special: ["<s>", "</s>"], alphabet: byteLevelAlphabet() };
  return definition({
    added_tokens: addedAll(options.special), pre_tokenizer: preTokenizer, decoder: byteLevel({ add_prefix_space: true }),
    post_processor: {
      type: "Sequence",
      processors: [byteLevel({ add_prefix_space: true }), template("<s> $A", "<s> $A <s>:1 $B:1", { "<s>": 0 })],
    },
    model: bpe(countWords(null, preTokenizer), 380, options, modelSettings),
  });
}

function roberta() {
  const preTokenizer = byteLevel({ add_prefix_space: true });
  return definition({
    added_tokens: robertaTokens.map((token, id) => added(id, token, { lstrip: token === "<mask>" })), pre_tokenizer: preTokenizer,
    decoder: preTokenizer,
    post_processor: { type: "RobertaProcessing", sep: ["</s>", 2], cls: ["<s>", 0], trim_offsets: true, add_prefix_space: true },
    model: bpe(countWords(null, preTokenizer), 420, { special: robertaTokens, alphabet: byteLevelAlphabet() }),
  });
}

/** As Llama's before tokenizer.json knew Metaspace. */
function byteFallback() {
  const special = ["<unk>", "<s>", "</s>"];
  return definition({
    added_tokens: addedAll(special), normalizer: llamaNormalizer, decoder: llamaDecoder,
    model: bpe(
      countWords(llamaNormalizer, null), 430, { special: [...special, ...byteTokens()], alphabetLimit: 60 },
      { unk_token: "<unk>", fuse_unk: true, byte_fallback: true }),
  });
}

function unknownCharacters(fuse) {
  const preTokenizer = metaspace("first", false);
  return definition({
    added_tokens: [added(0, "<unk>")], pre_tokenizer: preTokenizer, decoder: metaspace(),
    model: bpe(
      countWords(null, preTokenizer), 200, { special: ["<unk>"], alphabetLimit: 40 }, { unk_token: "<unk>", fuse_unk: fuse }),
  });
}

function wordLevel() {
  const normalizer = sequence.normalizer({ type: "NFKC" }, { type: "Lowercase" });
  const words = byCount(countWords(normalizer, { type: "Whitespace" })).slice(0, 195).map(([word]) => word);
  const vocab = Object.fromEntries([...bertTokens, ...words].map((word, id) => [word, id]));
  return definition({
    added_tokens: addedAll(bertTokens), normalizer, pre_tokenizer: { type: "Whitespace" },
    model: { type: "WordLevel", vocab, unk_token: "[UNK]" },
  });
}

const tokenizers = {
  "bert-uncased": bert(),
  "bert-cased": bert(
    { post_processor: { type: "BertProcessing", sep: ["[SEP]", 2], cls: ["[CLS]", 1] }, decoder: wordPieceDecoder("##", false) },
    { lowercase: false }),
  "unigram": unigramTokenizer(),
  "unigram-bytes": unigramTokenizer({}, { byte_fallback: true }),
  // As T5 and XLM-R of today: words first, a sign before the first only.
  "unigram-first": unigramTokenizer(
    { normalizer: strip(true, true), pre_tokenizer: sequence.preTokenizer({ type: "WhitespaceSplit" }, metaspace("first")) }),
  "word-level": wordLevel(),
  "roberta": roberta(),
  "llama3": byteLevelTokenizer([split({ Regex: LLAMA3 }), byteLevelEnd], { ignore_merges: true }),
  "qwen2": byteLevelTokenizer([split({ Regex: QWEN2 }), byteLevelEnd]),
  "falcon": byteLevelTokenizer(
    [{ type: "Punctuation", behavior: "Contiguous" }, byteLevel(), digits(false), split({ Regex: "[0-9][0-9][0-9]" })]),
  // As CLIP's and as the first BPE tokenizers: signs at the ends of words, and before their later parts.
  "affixes": definition({
    added_tokens: [added(0, "<unk>")], pre_tokenizer: { type: "WhitespaceSplit" }, decoder: { type: "BPEDecoder", suffix: "</w>" },
    model: bpe(
      countWords(null, { type: "WhitespaceSplit" }), 600, { special: ["<unk>"], prefix: "##", suffix: "</w>" },
      { unk_token: "<unk>", fuse_unk: true }),
  }),
  "byte-fallback": byteFallback(),
  "unknown-fused": unknownCharacters(true),
  "unknown-apart": unknownCharacters(false),
};

async function encodings(tokenizer, inputs) {
  const cases = [];
  for (const text of inputs) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    const whole = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
    const start = whole.findIndex((_, i) => ids.every((id, k) => whole[i + k] === id));
    cases.push({
      ids: ids.join(" "), around: [whole.slice(0, start), whole.slice(Math.max(start, 0) + ids.length)],
      decoded: await tokenizer.decode(ids, false), skipped: await tokenizer.decode(ids, true),
    });
  }
  return cases;
}

async function pairOf(tokenizer) {
  const encoding = await tokenizer.encode("harbour", "boats", { addSpecialTokens: true });
  return { ids: encoding.getIds(), types: encoding.getTypeIds() };
}

// Added tokens, with every combination of what can be said of them, as signs and as words, and some that overlap or meet the normalizer.

const addedContents = ["ab", "abc", "bcd", "a b", "é", "É!", "Naïve", " lead", "trail ", "\n\n", "▁x", "Ġy", "ﬁ", "ab<T1>", "中"];

function addedTokens(firstId) {
  const flags = [...Array(32).keys()].map((bits) => ({
    lstrip: (bits & 1) > 0, rstrip: (bits & 2) > 0, single_word: (bits & 4) > 0, normalized: (bits & 8) > 0, special: (bits & 16) > 0,
  }));
  const tokens = [
    ...flags.map((options, i) => [`<T${i}>`, options]),
    ...flags.map((options, i) => [`Word${i}`, options]),
    ...addedContents.map((content, i) => [content, { normalized: i % 2 === 0, special: i % 3 === 0 }]),
  ];
  return tokens.map(([content, options], i) => added(firstId + i, content, options));
}

function addedTexts() {
  const contents = addedTokens(0).map((token) => token.content);
  const around = [
    ["", ""], [" ", " "], ["x", "y"], ["x  ", "  y"], ["\t", "\n"], [".", "."], ["é ", "é"], ["_", " 1"], ["\u00A0", "\u3000"],
  ];
  const result = contents.flatMap((content, i) => [0, 1, 2].map((k) => {
    const [before, after] = around[(i + 3 * k) % around.length];
    return before + content + after;
  }));
  result.push(...contents.map((content, i) => content + contents[(i * 7 + 1) % contents.length] + content.toLowerCase()));
  // A linear congruential generator (Numerical Recipes' constants): any fixed sequence will do.
  let state = 1;
  const next = (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const between = ["", "", " ", "  ", "x", "X ", " é", "\n", ".", "ab", "▁", "word", "Ab c", "e\u0301", "naive ", "1", "\u200D"];
  for (let i = 0; i < 120; i++) {
    let text = "";
    for (let k = 2 + next(4); k > 0; k--) {
      text += between[next(between.length)] + contents[next(contents.length)] + between[next(between.length)];
    }
    result.push(text);
  }
  return result;
}

function addedRules() {
  const bases = {
    "lower-case": bert(),
    "byte-level": tokenizers.qwen2,
    "byte-level normalizer": { ...tokenizers.qwen2, normalizer: { type: "ByteLevel" }, pre_tokenizer: null },
    "prepended sign": tokenizers["byte-fallback"],
    "sign before the first word": tokenizers["unigram-first"],
    "compatibility": tokenizers["word-level"],
  };
  return Object.entries(bases).map(([name, base]) => {
    const model = base.model.vocab;
    const size = Array.isArray(model) ? model.length : Object.keys(model).length;
    const tokens = addedTokens(size).filter(({ content }) => !Object.hasOwn(model, content));
    return [name, { ...base, added_tokens: [...base.added_tokens, ...tokens.map((token, i) => ({ ...token, id: size + i }))] }];
  });
}

// Components

function normalizers() {
  const regex = (expression, content) => replace({ Regex: expression }, content);
  return [
    { type: "NFC" }, { type: "NFD" }, { type: "NFKC" }, { type: "NFKD" }, { type: "Lowercase" }, { type: "StripAccents" }, { type: "Nmt" },
    strip(true, true), strip(true, false), { type: "Prepend", prepend: "▁" }, replace({ String: "a" }, "bb"), regex("\\s+", "$0_"),
    regex("^\\w|\\w$", "#"), bertNormalizer(), bertNormalizer({ lowercase: false }),
    bertNormalizer({ clean_text: false, handle_chinese_chars: false, strip_accents: false }),
    bertNormalizer({ strip_accents: true, lowercase: false }), precompiled, { type: "ByteLevel" },
    sequence.normalizer({ type: "NFD" }, { type: "StripAccents" }, { type: "Lowercase" }),
  ];
}

function preTokenizers() {
  const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
  return [
    { type: "BertPreTokenizer" }, { type: "Whitespace" }, { type: "WhitespaceSplit" }, digits(false), digits(true),
    byteLevel({ add_prefix_space: true }), byteLevel(), byteLevelEnd, split({ Regex: LLAMA3 }), split({ Regex: QWEN2 }),
    ...behaviors.map((behavior) => ({ type: "Punctuation", behavior })),
    ...behaviors.flatMap((behavior) => [false, true].map((invert) => split({ Regex: "\\w+|[.,]" }, behavior, invert))),
    ...behaviors.map((behavior) => split({ String: " " }, behavior)),
    ...["always", "first", "never"].flatMap((scheme) => [metaspace(scheme), metaspace(scheme, false)]),
    ...["always", "first"].map((scheme) => sequence.preTokenizer({ type: "WhitespaceSplit" }, metaspace(scheme))),
    sequence.preTokenizer(digits(true), byteLevel({ add_prefix_space: true })),
  ];
}

function decoders() {
  return [
    byteLevel({ add_prefix_space: true }), wordPieceDecoder(), wordPieceDecoder("##", false), wordPieceDecoder("_"), metaspace(),
    metaspace("never"), { type: "BPEDecoder", suffix: "</w>" }, { type: "BPEDecoder", suffix: "b" }, { type: "ByteFallback" },
    { type: "Fuse" }, { type: "Strip", content: "_", start: 1, stop: 1 }, replace({ String: "a" }, "xy"), replace({ Regex: "[a-c]+" }, "z"),
    llamaDecoder,
  ];
}

const decoderTokens = [
  ["▁a", "▁▁b", "c▁"], ["##a", "##b", "c", "##", "d##"], ["a</w>", "b", "c</w>"],
  [" a ", "'", "b", "n't", "do", "not", "'s", ".", "?"], ["<0xC3>", "<0xA9>", "a", "<0xFF>", "<0x41>"], ["Ġa", "Ã", "©", "Ċ"],
  ["a b", "Ġ"], ["_x_", "__", "y"], ["aa", "a"], ["x"], ["do not", "I", "'m"],
];

const component = (kind, json) => load(definition({ [kind]: json }));
const results = (items, compute) => items.map((json) => ({ json, results: compute(json) }));

writeJson("components.json", {
  normalizers: results(
    normalizers(), (json) => texts.map((text) => component("normalizer", json).getNormalizer().normalizeString(text))),
  pre_tokenizers: results(preTokenizers(), (json) => {
    const preTokenizer = component("pre_tokenizer", json).getPreTokenizer();
    return texts.map((text) => preTokenizer.preTokenizeString(text).map(([word]) => word));
  }),
  decoders: results(decoders(), (json) => decoderTokens.map((tokens) => component("decoder", json).getDecoder().decode(tokens))),
  decoder_tokens: decoderTokens,
});
for (const [name, json] of Object.entries(tokenizers)) {
  const tokenizer = load(json);
  writeJson(`${name}.json`, { tokenizer: json, cases: await encodings(tokenizer, texts), pair: await pairOf(tokenizer) });
}
const addedInputs = addedTexts();
const rules = [];
for (const [name, json] of addedRules()) {
  const cases = await encodings(load(json), addedInputs);
  rules.push({ name, tokenizer: json, cases: cases.map(({ ids, decoded, skipped }) => ({ ids, decoded, skipped })) });
}
writeJson("added-tokens.json", { texts: addedInputs, rules });
