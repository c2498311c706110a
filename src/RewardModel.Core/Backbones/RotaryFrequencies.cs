using RewardModel.Checkpoints;

namespace RewardModel.Backbones;

/// <summary>
/// The angles per position of a rotary embedding, from config.json: <c>rope_parameters</c> as transformers 5 writes it, or
/// <c>rope_theta</c> and <c>rope_scaling</c> of before.
/// </summary>
internal static class RotaryFrequencies
{
    private const double defaultBase = 10000;

    /// <returns>headSize / 2 angles in radians, float32 as the reference computes with.</returns>
    public static float[] Read(ConfigReader reader, int headSize)
    {
        CheckHeadSize(reader, headSize);
        if (reader.OptionalObject("rope_parameters") is { } parameters)
            return Read(parameters, headSize, parameters.Double("rope_theta", defaultBase));
        var rotaryBase = reader.Double("rope_theta", defaultBase);
        return reader.OptionalObject("rope_scaling") is { } scaling ? Read(scaling, headSize, rotaryBase) : Plain(headSize, rotaryBase);
    }

    /// <summary>
    /// The same for architectures with two kinds of layers: <c>rope_parameters</c> with an entry for each, or a setting for each base
    /// and <c>rope_scaling</c>.
    /// </summary>
    /// <param name="reader">The settings.</param>
    /// <param name="headSize">Channels of a head.</param>
    /// <param name="full">Setting and default of the base of layers that see the whole sequence.</param>
    /// <param name="sliding">The same of layers that see a window.</param>
    /// <param name="scalesSliding">Whether <c>rope_scaling</c> is for the layers with a window, too.</param>
    public static (float[] Full, float[] Sliding) ReadByLayerType(
        ConfigReader reader, int headSize, (string Key, double Absent) full, (string Key, double Absent) sliding, bool scalesSliding)
    {
        CheckHeadSize(reader, headSize);
        var (fullBase, slidingBase) = (reader.Double(full.Key, full.Absent), reader.Double(sliding.Key, sliding.Absent));
        if (reader.OptionalObject("rope_parameters") is { } parameters)
            return (OfType(LayerTypes.Full, fullBase), OfType(LayerTypes.Sliding, slidingBase));
        if (reader.OptionalObject("rope_scaling") is not { } scaling)
            return (Plain(headSize, fullBase), Plain(headSize, slidingBase));
        return (Read(scaling, headSize, fullBase), scalesSliding ? Read(scaling, headSize, slidingBase) : Plain(headSize, slidingBase));

        float[] OfType(string type, double absent) => parameters.OptionalObject(type) is { } ofType
            ? Read(ofType, headSize, ofType.Double("rope_theta", absent))
            : Plain(headSize, absent);
    }

    private static void CheckHeadSize(ConfigReader reader, int headSize)
    {
        if (headSize % 2 != 0)
            reader.Problem($"a head has {headSize} channels; expected an even number, which rotary positions turn in pairs");
    }

    private static float[] Read(ConfigReader reader, int headSize, double rotaryBase)
    {
        // Older files say "type" where newer ones say "rope_type".
        string[] types = ["default", "linear", "llama3"];
        var type = reader.OneOf("rope_type", types, reader.OneOf("type", types, "default"));
        var frequencies = Plain(headSize, rotaryBase);
        switch (type)
        {
            case "linear":
                var factor = reader.Double("factor");
                return [.. frequencies.Select(frequency => (float)(frequency / factor))];
            case "llama3":
                return Llama3(frequencies, reader.Double("factor"), reader.Double("low_freq_factor"), reader.Double("high_freq_factor"),
                    reader.Int("original_max_position_embeddings"));
            default:
                return frequencies;
        }
    }

    // arXiv 2104.09864, section 3.2.2: theta_i = base^(-2 i / H).
    private static float[] Plain(int headSize, double rotaryBase) =>
        [.. Enumerable.Range(0, headSize / 2).Select(i => 1 / (float)Math.Pow(rotaryBase, 2 * i / (double)headSize))];

    // Llama 3.1's scaling: wavelengths beyond the original context are stretched by the factor, short ones kept, those between
    // interpolated.
    private static float[] Llama3(float[] frequencies, double factor, double lowFactor, double highFactor, int originalPositions)
    {
        return [.. frequencies.Select(frequency =>
        {
            var turns = originalPositions * frequency / (2 * Math.PI);
            var share = Math.Clamp((turns - lowFactor) / (highFactor - lowFactor), 0, 1);
            return (float)((1 - share) * frequency / factor + share * frequency);
        })];
    }
}
