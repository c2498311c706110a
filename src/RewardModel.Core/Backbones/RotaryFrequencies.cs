using RewardModel.Checkpoints;
using RewardModel.Layers;

namespace RewardModel.Backbones;

/// <summary>How an architecture spells its rotary settings, where it differs from Llama.</summary>
internal sealed record RotarySpelling
{
    /// <summary>The base's key outside of <c>rope_parameters</c>, beside <c>rope_theta</c>.</summary>
    public string BaseKey { get; init; } = "rope_theta";

    /// <summary>The base where the file does not give it.</summary>
    public double AbsentBase { get; init; } = 10000;

    /// <summary>
    /// The key, beside <c>partial_rotary_factor</c>, of the share of a head's channels that is rotated; null where all are.
    /// </summary>
    public string? ShareKey { get; init; }

    /// <summary>The share where the file does not give it.</summary>
    public double AbsentShare { get; init; } = 1;

    /// <summary><c>original_max_position_embeddings</c> where it stands outside of <c>rope_parameters</c>.</summary>
    public int? OriginalPositions { get; init; }

    /// <summary>The values of <c>rope_type</c>, and the type that each stands for.</summary>
    public IReadOnlyDictionary<string, string> Types { get; init; } =
        new[] { "default", "dynamic", "linear", "llama3", "longrope", "yarn" }.ToDictionary(type => type);
}

/// <summary>
/// The angles per position of a rotary embedding, from config.json: <c>rope_parameters</c> as transformers 5 writes it, or
/// <c>rope_theta</c> and <c>rope_scaling</c> of before.
/// </summary>
/// <remarks>
/// Two types depend on the longest sequence of a batch in transformers; here a reward never depends on the rest of the batch.
/// <c>dynamic</c> changes the angles only beyond <c>max_position_embeddings</c>, which no sequence may be here: it equals
/// <c>default</c>. <c>longrope</c> has other angles beyond <c>original_max_position_embeddings</c>; here no sequence may be longer than
/// that, and <c>long_factor</c> is not used.
/// </remarks>
internal static class RotaryFrequencies
{
    /// <param name="reader">The whole configuration.</param>
    /// <param name="headSize">Channels of a head.</param>
    /// <param name="positions"><c>max_position_embeddings</c>.</param>
    /// <param name="spelling">Llama's if not given.</param>
    public static RotarySettings Read(ConfigReader reader, int headSize, int positions, RotarySpelling? spelling = null) =>
        ReadWithUnscaled(reader, headSize, positions, spelling).Scaled;

    /// <summary>The same, and beside it the angles without the scaling, for layers that it is not for.</summary>
    /// <inheritdoc cref="Read"/>
    public static (RotarySettings Scaled, RotarySettings Unscaled) ReadWithUnscaled(
        ConfigReader reader, int headSize, int positions, RotarySpelling? spelling = null)
    {
        spelling ??= new RotarySpelling();
        var parameters = reader.OptionalObject("rope_parameters") ?? reader.OptionalObject("rope_scaling");
        var rotaryBase = Agreed(
            reader, ConfigLimits.RotaryBase, spelling.AbsentBase, (parameters, "rope_theta"), (reader, spelling.BaseKey),
            (reader, "rope_theta"));
        var share = spelling.ShareKey is null ? 1 : Agreed(
            reader, ConfigLimits.RotaryShare, spelling.AbsentShare, (parameters, "partial_rotary_factor"), (reader, spelling.ShareKey),
            (reader, "partial_rotary_factor"));
        var rotated = Rotated(reader, headSize, share);
        return (Of(parameters, rotated, rotaryBase, positions, spelling), Of(null, rotated, rotaryBase, positions, spelling));
    }

    /// <summary>
    /// The same for architectures with two kinds of layers: <c>rope_parameters</c> with an entry for each, or a setting for the base of
    /// each and <c>rope_scaling</c>.
    /// </summary>
    /// <param name="reader">The whole configuration.</param>
    /// <param name="headSize">Channels of a head.</param>
    /// <param name="positions"><c>max_position_embeddings</c>.</param>
    /// <param name="full">Key and default of the base in layers that see the whole sequence.</param>
    /// <param name="sliding">The same in layers that see a window.</param>
    /// <param name="scalesSliding">Whether <c>rope_scaling</c> is for the layers with a window, too.</param>
    public static (RotarySettings Full, RotarySettings Sliding) ReadByLayerType(
        ConfigReader reader, int headSize, int positions, (string Key, double Absent) full, (string Key, double Absent) sliding,
        bool scalesSliding)
    {
        var rotated = Rotated(reader, headSize, share: 1);
        var parameters = reader.OptionalObject("rope_parameters");
        var scaling = parameters is null ? reader.OptionalObject("rope_scaling") : null;
        return (
            OfType(CommonSettings.FullAttention, full, scaling),
            OfType(CommonSettings.SlidingAttention, sliding, scalesSliding ? scaling : null));

        RotarySettings OfType(string type, (string Key, double Absent) rotaryBase, ConfigReader? scaling)
        {
            var ofType = parameters?.OptionalObject(type) ?? scaling;
            return Of(
                ofType, rotated,
                Agreed(reader, ConfigLimits.RotaryBase, rotaryBase.Absent, (ofType, "rope_theta"), (reader, rotaryBase.Key)), positions,
                new RotarySpelling());
        }
    }

    private static int Rotated(ConfigReader reader, int headSize, double share)
    {
        var rotated = (int)(headSize * share);
        if (rotated % 2 == 0 && rotated >= 2 && rotated <= headSize)
            return rotated;
        reader.Problem(
            $"{rotated} of a head's {headSize} channels are to be rotated; "
            + "expected an even number of them, which rotary positions turn in pairs");
        return 0;
    }

    private static RotarySettings Of(
        ConfigReader? parameters, int rotated, double rotaryBase, int positions, RotarySpelling spelling)
    {
        var frequencies = Plain(rotated, rotaryBase);
        return parameters is null
            ? new RotarySettings(frequencies, Scaling: 1, positions)
            : Scaled(parameters, frequencies, rotaryBase, positions, spelling);
    }

    private static RotarySettings Scaled(
        ConfigReader reader, float[] frequencies, double rotaryBase, int positions, RotarySpelling spelling)
    {
        // Older files say "type" where newer ones say "rope_type".
        string[] types = [.. spelling.Types.Keys];
        var type = spelling.Types.GetValueOrDefault(
            reader.OneOf("rope_type", types, reader.OneOf("type", types, "default")), "default");
        switch (type)
        {
            case "dynamic":
                reader.Ignore("factor");
                break;
            case "linear":
                var factor = reader.Double("factor", ConfigLimits.RotaryFactor);
                frequencies = [.. frequencies.Select(frequency => (float)(frequency / factor))];
                break;
            case "llama3":
                var (low, high) = (
                    reader.Double("low_freq_factor", ConfigLimits.RotaryFactor), reader.Double("high_freq_factor", ConfigLimits.RotaryFactor));
                if (low >= high && reader.Has("low_freq_factor") && reader.Has("high_freq_factor"))
                    reader.Problem(FormattableString.Invariant(
                        $"low_freq_factor is {low} and high_freq_factor {high}; expected the first to be below the second"));
                frequencies = Llama3(
                    frequencies, reader.Double("factor", ConfigLimits.RotaryFactor), low, high,
                    reader.Size("original_max_position_embeddings", most: ConfigLimits.Positions));
                break;
            case "longrope":
                return LongRope(reader, frequencies, positions, OriginalPositions(reader, positions, spelling));
            case "yarn":
                return Yarn(reader, frequencies, rotaryBase, positions, OriginalPositions(reader, positions, spelling));
        }
        return new RotarySettings(frequencies, Scaling: 1, positions);
    }

    /// <summary>theta_i = base^(-2 i / R) for R rotated channels, section 3.2.2 of arXiv 2104.09864.</summary>
    public static float[] Plain(int rotated, double rotaryBase) =>
        [.. Enumerable.Range(0, rotated / 2).Select(i => 1 / (float)Math.Pow(rotaryBase, 2 * i / (double)rotated))];

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

    // YaRN (Peng et al., arXiv 2309.00071): pairs that turn more than beta_fast times in the original context are kept, those of fewer
    // than beta_slow turns stretched by the factor, those between interpolated by their index, section 3.2. cos and sin are scaled by
    // 0.1 ln(factor) + 1, equation 22.
    private static RotarySettings Yarn(
        ConfigReader reader, float[] frequencies, double rotaryBase, int positions, int originalPositions)
    {
        var factor = reader.OptionalDouble("factor", ConfigLimits.RotaryFactor) ?? positions / (double)originalPositions;
        var (betaFast, betaSlow) = (
            reader.Double("beta_fast", ConfigLimits.RotaryFactor, 32), reader.Double("beta_slow", ConfigLimits.RotaryFactor, 1));
        var (mScale, mScaleAllDim) = (
            reader.Double("mscale", ConfigLimits.RotaryWeight, 0), reader.Double("mscale_all_dim", ConfigLimits.RotaryWeight, 0));
        var truncates = reader.Bool("truncate", true);

        var (first, last) = (PairOfTurns(betaFast), PairOfTurns(betaSlow));
        if (truncates)
            (first, last) = (Math.Floor(first), Math.Ceiling(last));
        first = Math.Max(first, 0);
        last = Math.Min(last, 2 * frequencies.Length - 1);
        if (first == last)
            last += 0.001;
        float[] scaled = [.. frequencies.Select((frequency, i) =>
        {
            var stretched = Math.Clamp((i - first) / (last - first), 0, 1);
            return (float)(stretched * frequency / factor + (1 - stretched) * frequency);
        })];
        var scaling = reader.OptionalDouble("attention_factor", ConfigLimits.RotaryFactor)
            ?? (mScale != 0 && mScaleAllDim != 0 ? ScalingOf(mScale) / ScalingOf(mScaleAllDim) : ScalingOf(1));
        return new RotarySettings(scaled, scaling, positions);

        // The index of the pair that turns so many times in the original context, as if it were continuous.
        double PairOfTurns(double turns) =>
            frequencies.Length * Math.Log(originalPositions / (turns * 2 * Math.PI)) / Math.Log(rotaryBase);

        double ScalingOf(double weight) => factor <= 1 ? 1 : 0.1 * weight * Math.Log(factor) + 1;
    }

    // LongRoPE (Ding et al., arXiv 2402.13753): a divisor for each pair, found by search. cos and sin are scaled by
    // sqrt(1 + ln(factor) / ln(original length)).
    private static RotarySettings LongRope(ConfigReader reader, float[] frequencies, int positions, int originalPositions)
    {
        var factor = reader.OptionalDouble("factor", ConfigLimits.RotaryFactor) ?? positions / (double)originalPositions;
        var divisors = reader.Doubles("short_factor");
        // For sequences beyond the original length, which are not taken.
        reader.Ignore("long_factor");
        if (divisors.Count != frequencies.Length)
            reader.Problem($"short_factor has {divisors.Count} numbers; expected {frequencies.Length}, one for each pair of channels");
        var (least, most) = ConfigLimits.RotaryFactor;
        if (divisors.Any(divisor => divisor < least || divisor > most))
            reader.Problem(FormattableString.Invariant(
                $"short_factor has {divisors.First(divisor => divisor < least || divisor > most)}; expected numbers from {least} to {most}"));
        var scaling = reader.OptionalDouble("attention_factor", ConfigLimits.RotaryFactor)
            ?? (factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(Math.Max(2, originalPositions))));
        return new RotarySettings(
            [.. frequencies.Zip(divisors, (frequency, divisor) => (float)(frequency / divisor))], scaling,
            Math.Min(positions, originalPositions));
    }

    private static int OriginalPositions(ConfigReader reader, int positions, RotarySpelling spelling)
    {
        var original = reader.Has("original_max_position_embeddings")
            ? reader.Size("original_max_position_embeddings", most: ConfigLimits.Positions) : (int?)null;
        if (original is not null && spelling.OriginalPositions is not null && original != spelling.OriginalPositions)
            reader.Problem(
                $"original_max_position_embeddings is {spelling.OriginalPositions}, and {original} among the rotary settings; "
                + "expected the same number");
        return spelling.OriginalPositions ?? original ?? positions;
    }

    // Files that a newer version has read and saved again may have a setting in its older and its newer place.
    private static double Agreed(
        ConfigReader reader, (double Least, double Most) limits, double absent, params (ConfigReader? Reader, string Key)[] places)
    {
        var found = places.Distinct().Select(place => (place.Key, Value: place.Reader?.OptionalDouble(place.Key, limits)))
            .Where(setting => setting.Value is not null).ToArray();
        if (found.Select(setting => setting.Value).Distinct().Count() > 1)
            reader.Problem(
                $"{string.Join(" and ", found.Select(setting => $"{setting.Key} is {setting.Value}"))}; expected the same number");
        return found.Length > 0 ? found[0].Value!.Value : absent;
    }
}
