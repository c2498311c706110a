// Hugging Face's Rust tokenizers as one side of bench/tokenizers.sh: reads a command a line, answers with a line of JSON. Ids are those of
// encodeBatch without special tokens, over the lines of a file.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { Tokenizer } = require("tokenizers");

const [tokenizerFile, textFile] = process.argv.slice(2);
const lines = readFileSync(textFile, "utf8").split("\n");
let tokenizer = null;

async function encode(texts) {
  const start = process.hrtime.bigint();
  const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
  return { encodings, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

async function hashOf(texts) {
  const hash = createHash("sha256");
  let tokens = 0;
  for (const encoding of (await encode(texts)).encodings) {
    const ids = encoding.getIds();
    tokens += ids.length;
    hash.update(`${ids.join(" ")}\n`);
  }
  return { hash: hash.digest("hex"), tokens };
}

const commands = {
  // A fresh tokenizer, whose cache is empty.
  load() {
    tokenizer = Tokenizer.fromFile(tokenizerFile);
    return {};
  },
  hash() {
    return hashOf(lines);
  },
  "hash-letters"(count) {
    return hashOf(["a".repeat(Number(count))]);
  },
  async encode() {
    return { seconds: (await encode(lines)).seconds };
  },
  async letters(count) {
    return { seconds: (await encode(["a".repeat(Number(count))])).seconds };
  },
};

async function main() {
  console.log(JSON.stringify({ ready: true }));
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...values] = line.split(" ");
    console.log(JSON.stringify(await commands[command](...values)));
  }
}

main();
