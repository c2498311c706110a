namespace RewardModel.Tokenizers.Models;

/// <summary>A token of a word: its id, and the part of the word that it stands for.</summary>
internal readonly record struct WordToken(int Id, int Start, int End);
