namespace RewardModel.Training.Planning;

/// <summary>A published reward model: its shape, its recipe and its data, as far as they are known.</summary>
/// <param name="Title">What it is.</param>
/// <param name="Model">Its shape, of <see cref="NamedModel"/>.</param>
/// <param name="Recipe">Its recipe, by its name.</param>
/// <param name="ListCount">Lists of its data.</param>
/// <param name="AnswerCount">Answers of a list.</param>
/// <param name="PromptTokens">Mean tokens of a prompt.</param>
/// <param name="AnswerTokens">Mean tokens of an answer.</param>
internal sealed record PublishedRun(
    string Title, string Model, string Recipe, long ListCount, int AnswerCount, int PromptTokens, int AnswerTokens)
{
    /// <summary>All that are known.</summary>
    public static IReadOnlyList<PublishedRun> All { get; } =
    [
        // Lists: its table 6. 4 to 9 answers: section 3.4, here 6. Lengths are assumed.
        new("InstructGPT 6B", "instructgpt-6b", "instructgpt", 33_207, 6, 200, 100),
        // Pairs: arXiv 2009.01325. Posts of at most 512 tokens and summaries of at most 48: appendix; means are assumed.
        new("summarize 6.7B", "summarize-6.7b", "summarize", 64_832, 2, 380, 40),
        // Pairs and at most 512 tokens: its script; shares are assumed.
        new("StackLLaMA 7B, LoRA", "llama-7b", "stackllama", 100_000, 2, 200, 240),
        // Four data sets, of which the example takes 40 %; count and lengths are assumed.
        new("DeepSpeed-Chat 350M", "opt-350m", "deepspeed-chat", 100_000, 2, 160, 100),
        // Table 6: 2,919,326 comparisons, 595.7 tokens an example, 216.9 an answer; the rest is taken for the prompt with its history.
        new("Llama 2 7B", "llama-2-7b", "llama2", 2_919_326, 2, 379, 217),
        new("Llama 2 13B", "llama-2-13b", "llama2", 2_919_326, 2, 379, 217),
        new("Llama 2 70B", "llama-2-70b", "llama2", 2_919_326, 2, 379, 217),
        // Shape and lengths are Llama 2's, as the recipe says; the count of pairs is assumed.
        new("DeepMind 70B, Adafactor", "llama-2-70b", "deepmind-70b", 72_000, 2, 379, 217),
    ];
}
