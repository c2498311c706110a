using RewardModel.Jinja;

namespace RewardModel.Tokenizers;

/// <summary>Tokenizer files that can't be used as they are, or ids and texts that a tokenizer can't turn into each other.</summary>
public sealed class TokenizerException : Exception
{
    /// <param name="source">Where the problems are: a tokenizer's directory, or the line a list was read from.</param>
    /// <param name="problems">Everything that is wrong: what was found, what was expected, what to do; at least one.</param>
    public TokenizerException(string source, IReadOnlyList<string> problems)
        : base(problems.Count == 1
            ? $"{source}: {Excerpt.OfProblem(problems[0])}"
            : $"{source}: {problems.Count} problems{string.Concat(problems.Select(problem => $"\n- {Excerpt.OfProblem(problem)}"))}")
    {
        Problems = [.. problems.Select(Excerpt.OfProblem)];
    }

    /// <summary>Each problem, without the place that stands at the start of the message.</summary>
    public IReadOnlyList<string> Problems { get; }
}
