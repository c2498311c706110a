using System.Text.Json.Serialization;

namespace RewardModel;

/// <summary>The optimiser: how gradients become changes of weights.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW (Loshchilov and Hutter, arXiv 1711.05101): two moments in float32, 8 bytes for each trained parameter.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,

    /// <summary>
    /// AdamW whose moments have 8 bits, in blocks of 256 with a scale of their own (Dettmers et al., arXiv 2110.02861): 2.03 bytes for each
    /// trained parameter. Those of tensors with fewer than 4096 elements remain float32.
    /// </summary>
    [JsonStringEnumMemberName("adamw-8bit")]
    AdamW8Bit,

    /// <summary>
    /// Adafactor (Shazeer and Stern, arXiv 1804.04235) without a first moment, at the run's learning rate: of a matrix only means of rows and
    /// of columns, almost no memory.
    /// </summary>
    [JsonStringEnumMemberName("adafactor")]
    Adafactor,
}
