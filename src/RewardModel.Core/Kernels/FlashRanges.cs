using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Sequences of queries and the keys that they see, each behind the one before it.</summary>
/// <param name="Queries">The first row of each sequence's queries, and one past the last, int32.</param>
/// <param name="Keys">The same of its keys.</param>
/// <param name="MostQueries">Queries of the sequence that has the most.</param>
/// <param name="MostKeys">Keys of the sequence that has the most.</param>
internal sealed record FlashRanges(Tensor Queries, Tensor Keys, int MostQueries, int MostKeys);
