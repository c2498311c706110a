using System.Text.Json;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>SentencePiece's vocabulary of pieces, each with the logarithm of its probability.</summary>
/// <param name="Vocabulary">Every piece and its id.</param>
/// <param name="Scores">The score of every id.</param>
/// <param name="UnknownId">What stands for a character that the vocabulary lacks.</param>
/// <param name="FallsBackToBytes">Whether a character that the vocabulary lacks becomes its UTF-8 bytes.</param>
internal sealed record UnigramDefinition(
    Dictionary<string, int> Vocabulary, IReadOnlyList<double> Scores, int? UnknownId, bool FallsBackToBytes) : ModelDefinition(Vocabulary)
{
    public override string Type => "Unigram";

    public static UnigramDefinition Read(JsonComponent component)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var scores = new List<double>();
        if (component.Member("vocab") is { ValueKind: JsonValueKind.Array } items && items.GetArrayLength() > 0)
        {
            var wrong = new List<string>();
            foreach (var item in items.EnumerateArray())
            {
                if (TryReadPiece(item, out var piece, out var score))
                    vocabulary[piece] = scores.Count;
                else
                    wrong.Add(item.GetRawText());
                scores.Add(score);
            }
            component.AddProblemOfSome("{0} pieces of 'vocab' are not a string and a number: {1}", wrong);
        }
        else
        {
            component.AddProblem("'vocab' is not a list of pieces and scores with at least one piece");
        }
        ModelReader.CheckLengths(component, vocabulary.Keys);
        var unknownId = component.OptionalNumber("unk_id");
        if (unknownId >= scores.Count)
            component.AddProblem($"'unk_id' is {unknownId}, but 'vocab' has {scores.Count} pieces");
        return new UnigramDefinition(vocabulary, scores, unknownId, component.OptionalFlag("byte_fallback") ?? false);
    }

    public override WordModel Make(bool readsBytes, IReadOnlySet<string> hidden) => new UnigramModel(this, hidden);

    private static bool TryReadPiece(JsonElement item, out string piece, out double score)
    {
        (piece, score) = ("", 0);
        if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2)
            return false;
        var (first, second) = (item[0], item[1]);
        if (first.ValueKind != JsonValueKind.String || second.ValueKind != JsonValueKind.Number)
            return false;
        (piece, score) = (first.GetString()!, second.GetDouble());
        return double.IsFinite(score);
    }
}
