// Renders the templates of goldens.json with @huggingface/jinja and prints where its text is another one, as a second opinion on goldens
// that come from transformers. Not part of the tests:
//   npm install @huggingface/jinja && node compare_with_jinja_js.mjs goldens.json
// Given a folder after that, prints what it makes of each *.jinja file there with the first conversation instead.
// Known differences, where transformers decides: whole floats (1.0 there, 1 here), lists and none written as text (Python's repr there),
// filters of values that they are not made for (errors here), Markup (no escaping here), line ends (\r\n becomes \n there).
import fs from "node:fs";
import { Template } from "@huggingface/jinja";

const goldens = JSON.parse(fs.readFileSync(process.argv[2]));
const tokens = { bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>", unk_token: "<unk>" };
const RealDate = Date;
globalThis.Date = class extends RealDate {
    constructor(...values) {
        super(...(values.length ? values : [2024, 6, 26]));
    }
};

function render(template, { messages, tools, add_generation_prompt }) {
    try {
        return { text: new Template(template).render({ messages, tools, documents: null, add_generation_prompt, ...tokens }) };
    } catch (error) {
        return { text: null, error: error.message };
    }
}

if (process.argv[3]) {
    for (const name of fs.readdirSync(process.argv[3]).filter((name) => name.endsWith(".jinja")))
        console.log(name, JSON.stringify(render(fs.readFileSync(`${process.argv[3]}/${name}`, "utf8"), goldens.cases[0])));
} else {
    let equal = 0;
    for (const { name, template, rendered } of goldens.templates)
        rendered.forEach((expected, i) => {
            const actual = render(template, goldens.cases[i]);
            if (actual.text === expected) equal++;
            else console.log(`${name}, case ${i}\n  expected ${JSON.stringify(expected)}\n  actual   ${JSON.stringify(actual)}`);
        });
    console.log(`${equal} of ${goldens.templates.length * goldens.cases.length} are equal`);
}
