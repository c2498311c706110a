using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Cli;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using Spectre.Console;

namespace RewardModel.Tests.Cli;

[Collection(nameof(RunsAlone))]
public sealed class TokenizeCommandTests : IDisposable
{
    private const string Template =
        "{{ bos_token }}{% for m in messages %}{{ '[' + m.role[0] + ']' + m.content }}{% endfor %}{{ '[a]' if add_generation_prompt }}";

    private readonly TokenizerFolder model = TokenizerFolder.ByteLevel(JsonSerializer.Serialize(
        new { bos_token = "<s>", eos_token = "</s>", add_bos_token = true, chat_template = Template }));

    private readonly TemporaryDirectory directory = new();

    public TokenizeCommandTests()
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        model.Write("config.json", config.ToJsonString());
    }

    public void Dispose()
    {
        model.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void A_list_is_its_prompt_and_its_answers_with_their_scores()
    {
        var file = Write("""{"prompt": "hello world\n", "answers": ["hello", "é\t", "x"], "scores": [1.5, -2, 0]}""");
        Assert.Equal(
            $"""
            {model.Directory}: read as the model reads it, at most 96 tokens for a prompt and an answer together

            {file}:1
            prompt               <s>│hello│ wo│r│l│d│\n
            answer 1, score 1.5  hello│</s>
            answer 2, score -2   #195│é│\t│</s>
            answer 3, score 0    x│</s>
            tokens               prompt 7; answer 1: 2; answer 2: 4; answer 3: 2

            """,
            Tokenize("--data", file));
    }

    [Fact]
    public void A_conversation_is_what_the_template_makes_of_it()
    {
        var file = Write("""{"messages": [{"role": "user", "content": "hello"}], "answers": ["<s>", "b"], "ranks": [1, 1]}""");
        Assert.Equal(
            $"""
            {model.Directory}: read as the model reads it, at most 96 tokens for a prompt and an answer together

            {file}:1
            prompt            <s>│[│u│]│hello│[│a│]
            answer 1, rank 1  <│s│>│</s>
            answer 2, rank 1  b│</s>
            tokens            prompt 8; answer 1: 4; answer 2: 2

            """,
            Tokenize("--data", file));
    }

    [Fact]
    public void A_prompt_loses_its_beginning_and_an_answer_its_end()
    {
        var file = Write("""{"prompt": "abcd", "answers": ["hello", "hellohello", "hellohellohellohellohello"]}""");
        Assert.Equal(
            $"""
            {model.Directory}: read as the model reads it, at most 5 tokens for a prompt and an answer together

            {file}:1
            prompt            <s>│[... 2 tokens cut: a│b]│c│d
            answer 1, rank 1  hello│</s>
            answer 2, rank 2  hello│hello│</s>
            answer 3, rank 3  hello│hello│hello│[... 2 tokens cut: hello│hello]│</s>
            tokens            prompt 5, 2 cut; answer 1: 2; answer 2: 3, and 3 of its prompt cut; answer 3: 6, 2 cut, and 4 of its prompt cut

            """,
            Tokenize("--data", file, "--max-length", "5"));
    }

    [Fact]
    public void Long_runs_are_shown_by_their_ends_unless_all_is_asked_for()
    {
        var file = Write($$"""{"prompt": "{{new string('a', 201)}}", "answers": ["b"]}""");
        using var bare = TokenizerFolder.ByteLevel();
        var prompt = Line(Run(bare, "--data", file), "prompt");
        Assert.Equal($"{Repeated("a", 100)}│... 1 token ...│{Repeated("a", 100)}", prompt);
        Assert.Equal(Repeated("a", 201), Line(Run(bare, "--data", file, "--full"), "prompt"));

        static string Repeated(string text, int count) => string.Join('│', Enumerable.Repeat(text, count));
    }

    [Fact]
    public void Tables_and_known_layouts_are_read_and_five_rows_are_shown_unless_more_are_asked_for()
    {
        File.WriteAllLines(directory["pairs.csv"], ["prompt,chosen,rejected", .. Enumerable.Range(1, 7).Select(i => $"p{i},a,b")]);
        Assert.Equal(
            $"""
            {model.Directory}: read as the model reads it, at most 96 tokens for a prompt and an answer together

            {directory["pairs.csv"]}, row 1
            prompt            <s>│p│1
            answer 1, rank 1  a│</s>
            answer 2, rank 2  b│</s>
            tokens            prompt 3; answer 1: 2; answer 2: 2

            """,
            Tokenize("--data", directory["pairs.csv"], "--rows", "1"));
        int Rows(params string[] more) => Tokenize(["--data", directory["pairs.csv"], .. more]).Split(", row ").Length - 1;
        Assert.Equal((5, 6, 7), (Rows(), Rows("--rows", "6"), Rows("--rows", "0")));
        int Lines(params string[] more) => Tokenize(["--data", directory["pairs.csv"], "--json", .. more]).Count(c => c == '\n');
        Assert.Equal((14, 4), (Lines(), Lines("--rows", "2")));
        Assert.Equal("<s>│7", Line(Tokenize(
            "--data", directory["pairs.csv"], "--query", "SELECT prompt[2:] AS prompt, chosen, rejected FROM data WHERE prompt = 'p7'"), "prompt"));
    }

    [Fact]
    public void Ids_are_those_that_the_model_is_trained_on()
    {
        var file = Write(
            """{"prompt": "hello wo", "answers": ["hello world hello world", "rld"]}""",
            """{"messages": [{"role": "user", "content": "hello"}], "answers": ["a", "hello </s> world"]}""");
        using var trained = ScoringModel.ShapesForTraining(model.Directory, null, maxLength: 9, null, null);
        var (lists, cut) = trained.Tokenize(RankedListReader.Read(file).Lists);
        var answers = Tokenize("--data", file, "--json", "--max-length", "9").TrimEnd('\n').Split('\n')
            .Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(
            lists.SelectMany(list => list.AnswerIds.Select((answer, k) => (int[])[.. list.PromptOf(k), .. answer])),
            answers.Select(answer => answer["ids_with_special"].Deserialize<int[]>()!));
        Assert.Equal(cut.Answers.LostTokens, answers.Sum(answer => (int)answer["answer_tokens_cut"]!));
        Assert.Equal([2, 0, 1, 7], answers.Select(answer => (int)answer["prompt_tokens_cut"]!).ToArray());
        Assert.True(cut.Answers.LostTokens > 0);
    }

    [Fact]
    public void Token_ids_are_cut_as_they_are_in_training()
    {
        var file = Write("""{"prompt_ids": [262, 97, 98], "answer_ids": [[259, 263], [99]]}""");
        Assert.Equal(
            """
            {"ids":[97,98,259],"ids_with_special":[262,98,259,263],"decoded":"abhello","prompt_tokens_cut":1,"answer_tokens_cut":0}
            {"ids":[97,98,99],"ids_with_special":[262,97,98,99],"decoded":"abc","prompt_tokens_cut":0,"answer_tokens_cut":0}

            """,
            Tokenize("--data", file, "--json", "--max-length", "4"));
    }

    [Fact]
    public void Text_is_a_conversation_where_the_model_reads_it_so_or_it_is_asked_for()
    {
        var file = Write("""{"prompt": "x", "answers": ["y"]}""");
        Assert.Equal("<s>│x", Line(Tokenize("--data", file), "prompt"));
        Assert.Equal("<s>│[│u│]│x│[│a│]", Line(Tokenize("--data", file, "--chat"), "prompt"));
        new ScoringRule(HuggingFaceTokenizer.Load(model.Directory).SpecialTokenRule, 96) { ChatTemplate = Template, TextIsChat = true }
            .Write(model.Directory);
        Assert.Equal("<s>│[│u│]│x│[│a│]", Line(Tokenize("--data", file), "prompt"));
        Assert.Equal("<s>│x", Line(Tokenize("--data", file, "--raw"), "prompt"));
    }

    [Fact]
    public void On_a_terminal_colours_tell_tokens_templates_and_special_tokens_apart()
    {
        var reader = TokenReader.Load(model.Directory, maxLength: 8);
        var chat = RankedList.BestFirst("hello", "hello", "x").AsChat();
        var row = Assert.Single(reader.Of(new RewardModel.Layouts.ParsedRow(default) { Lists = [chat] }));
        using var output = new StringWriter { NewLine = "\n" };
        string Written(ColorSystemSupport colors)
        {
            output.GetStringBuilder().Clear();
            new TokenDisplay(reader, showsAll: false, output, AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = colors == ColorSystemSupport.NoColors ? AnsiSupport.No : AnsiSupport.Yes,
                ColorSystem = colors,
                Out = new AnsiConsoleOutput(output),
            })).Write(row);
            return output.ToString().Replace("\e", "^", StringComparison.Ordinal);
        }

        Assert.Equal(
            """

            prompt            ^[38;5;15;48;5;90m<s>^[0m^[38;5;8m[... 2 tokens cut: ^[0m^[2;9;38;5;8m[u^[0m^[38;5;8m]^[0m^[38;5;0;48;5;249m]^[0m^[38;5;0;48;5;228mhello^[0m^[38;5;0;48;5;249m[^[0m^[38;5;0;48;5;252ma^[0m^[38;5;0;48;5;249m]^[0m
            answer 1, rank 1  ^[38;5;0;48;5;153mhello^[0m^[38;5;15;48;5;90m</s>^[0m
            answer 2, rank 2  ^[38;5;0;48;5;153mx^[0m^[38;5;15;48;5;90m</s>^[0m
            tokens            prompt 8, 2 cut; answer 1: 2; answer 2: 2

            """,
            Written(ColorSystemSupport.EightBit));
        Assert.Contains("<s>│[... 2 tokens cut: [│u]│]│hello│[│a│]\n", Written(ColorSystemSupport.NoColors));
    }

    [Fact]
    public void Rows_that_cannot_be_read_are_errors_or_left_out()
    {
        var file = Write("""{"prompt": "x", "answers": ["y"]}""", "{", """{"messages": [{"role": 7}], "answers": ["y"]}""", """{"text": "z"}""");
        var (status, output, errors) = CommandLineTests.Run("tokenize", "--tokenizer", model.Directory, "--data", file);
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith($"error: '{file}' has 2 bad lines:\n{file}:2: invalid JSON at byte 2\n{file}:3: ", errors);
        (status, output, errors) = CommandLineTests.Run(
            "tokenize", "--tokenizer", model.Directory, "--data", file, "--on-bad-data", "skip");
        Assert.Equal(0, status);
        Assert.Equal([1, 4], output.Split('\n').Where(line => line.StartsWith(file, StringComparison.Ordinal))
            .Select(line => int.Parse(line[(file.Length + 1)..], null)));
        Assert.StartsWith($"warning: {file}:2: invalid JSON at byte 2: skipped\nwarning: {file}:3: ", errors);
    }

    [Fact]
    public void A_bare_tokenizer_reads_texts_as_Hugging_Face_does()
    {
        using var folder = TokenizerFolder.ByteLevel(
            """
            {"bos_token": "<s>", "eos_token": "</s>",
             "chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token if not add_generation_prompt }}"}
            """,
            postProcessor: """
            {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [262], "tokens": ["<s>"]}}}
            """);
        var file = Write(
            """{"text": "a<s>"}""", """{"text": "<s>a"}""", """{"messages": [{"role": "user", "content": "é<s>"}]}""",
            """{"text": "\ud83d\ude00\ud83d"}""",
            """{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}""");
        Assert.Equal(
            """
            {"ids":[97,262],"ids_with_special":[262,97,262],"decoded":"a<s>"}
            {"ids":[262,97],"ids_with_special":[262,262,97],"decoded":"<s>a"}
            {"ids":[262,195,169,60,115,62],"ids_with_special":[262,195,169,60,115,62],"decoded":"<s>é<s>","rendered":"<s>é<s>"}
            {"ids":[240,159,152,128,239,191,189],"ids_with_special":[262,240,159,152,128,239,191,189],"decoded":"\uD83D\uDE00�","lone_surrogates":1}
            {"ids":[262,120,121,263],"ids_with_special":[262,120,121,263],"decoded":"<s>xy</s>","rendered":"<s>xy</s>"}

            """,
            Run(folder, "--data", file, "--json"));
        Assert.Equal(
            $"""
            {folder.Directory}: a tokenizer without a checkpoint, nothing is cut

            messages  <s>│hello
            tokens    2

            """,
            Run(folder, "--chat", "--text", "hello"));
        file = Write("""{"text": "\ud83d\ud83d"}""");
        Assert.Equal(
            $"""
            {folder.Directory}: a tokenizer without a checkpoint, at most 4 tokens for a prompt and an answer together

            {file}:1
            text      <s>│#239│#191│�│[... 3 tokens cut: #239│#191│�]
            tokens    7, 3 cut
            replaced  2 lone surrogates, halves of characters, by U+FFFD

            """,
            Run(folder, "--data", file, "--max-length", "4"));
        folder.Write("tokenizer_config.json", "{}");
        Assert.Equal(
            (1, "", $"error: {folder.Directory}: there is no chat template; expected chat_template.jinja, or 'chat_template' in "
                + "tokenizer_config.json\n"),
            CommandLineTests.Run("tokenize", "--tokenizer", folder.Directory, "--chat", "--text", "hello"));
    }

    private string Write(params string[] lines)
    {
        File.WriteAllLines(directory["rows.jsonl"], lines);
        return directory["rows.jsonl"];
    }

    private string Tokenize(params string[] arguments) => Run(model, arguments);

    private static string Run(TokenizerFolder tokenizer, params string[] arguments)
    {
        var (status, output, errors) = CommandLineTests.Run(["tokenize", "--tokenizer", tokenizer.Directory, .. arguments]);
        Assert.Equal((0, ""), (status, errors));
        return output;
    }

    /// <summary>What stands behind a label.</summary>
    private static string Line(string output, string label) =>
        output.Split('\n').First(line => line.StartsWith($"{label} ", StringComparison.Ordinal))[label.Length..].TrimStart();
}
