using RewardModel.Lists;

namespace RewardModel.Server;

/// <summary>Scores what requests ask for: what protocols are written against, and know no more of.</summary>
internal interface IScoringService
{
    /// <summary>The models that are served, the default one first.</summary>
    IReadOnlyList<ServedModelInfo> Models { get; }

    /// <summary>Most answers of a request.</summary>
    int MaxRows { get; }

    /// <summary>Scores the lists of a request, together with those of others.</summary>
    /// <param name="request">What to score.</param>
    /// <param name="cancellationToken">The client has gone: what was not yet computed is left out.</param>
    /// <returns>One result for each list; its rewards are finite.</returns>
    /// <exception cref="RequestException">The request can't be answered: what is wrong, with its status.</exception>
    Task<ScoringResult> ScoreAsync(ScoringRequest request, CancellationToken cancellationToken);
}

/// <summary>A model that is served.</summary>
/// <param name="Name">The name that requests give.</param>
/// <param name="Architecture"><c>model_type</c> of its config.json.</param>
/// <param name="MaxLength">Most tokens of prompt and answer together; what is longer is cut.</param>
/// <param name="HasChatTemplate">Whether it takes conversations.</param>
/// <param name="MemberCount">How many models its rewards are the means of.</param>
/// <param name="LoadedAt">When it was loaded, last.</param>
internal sealed record ServedModelInfo(
    string Name, string Architecture, int MaxLength, bool HasChatTemplate, int MemberCount, DateTimeOffset LoadedAt);

/// <summary>What is to be scored.</summary>
/// <param name="Model">Name of a served model; null: the default one.</param>
/// <param name="Inputs">At least one.</param>
/// <param name="MaxLength">Most tokens of prompt and answer together where that is below the model's own limit; null: the model's.</param>
internal sealed record ScoringRequest(string? Model, IReadOnlyList<ScoringInput> Inputs, int? MaxLength = null);

/// <summary>A prompt and its answers: as text, as a conversation or as the whole text that the model reads; or as token ids.</summary>
/// <param name="Text">Null where it is token ids.</param>
/// <param name="TokenIds">Null where it is text. Special tokens are among the ids; nothing is added.</param>
internal sealed record ScoringInput(RankedList? Text, TokenizedList? TokenIds)
{
    public static ScoringInput Of(RankedList text) => new(text, null);

    public static ScoringInput Of(TokenizedList tokenIds) => new(null, tokenIds);
}

/// <summary>The answer to a <see cref="ScoringRequest"/>.</summary>
/// <param name="Model">The served model's name.</param>
/// <param name="Lists">One for each input.</param>
internal sealed record ScoringResult(string Model, IReadOnlyList<ScoredInput> Lists);

/// <summary>A scored list.</summary>
/// <param name="PromptTokens">Tokens of the prompt, special tokens included, as far as it was read; of prompts that are cut in different ways the longest.</param>
/// <param name="Answers">One for each answer.</param>
internal sealed record ScoredInput(int PromptTokens, IReadOnlyList<ScoredAnswer> Answers);

/// <summary>A scored answer.</summary>
/// <param name="Reward">Its reward, as <c>reward-model score</c> gives it.</param>
/// <param name="StandardDeviation">Of the members' rewards, where the model is an ensemble; else null.</param>
/// <param name="Tokens">Its tokens, special tokens included, as far as they were read.</param>
/// <param name="WasCut">Whether it or its prompt was too long, so that the model has read a part.</param>
internal readonly record struct ScoredAnswer(float Reward, float? StandardDeviation, int Tokens, bool WasCut);
