using System.Numerics;
using System.Runtime.InteropServices;
using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>
/// Finds texts that are nearly the same: those that share most of their pieces of five characters, in lower case and with single spaces
/// (of three ids where there is no text). MinHash estimates that share from 64 numbers a text (Broder, "On the resemblance and containment
/// of documents", 1997), of which 8 bits are kept; only texts that agree in four of them side by side are compared.
/// </summary>
/// <remarks>
/// Pieces that more than a quarter of the first 1000 texts have are a form that prompts are put into, and say nothing about them: they don't
/// count, unless a text has no others.
/// </remarks>
internal sealed class NearDuplicates
{
    private const int charactersOfPiece = 5;
    private const int idsOfPiece = 3;
    private const int hashCount = 64;
    private const int hashesOfBand = 4;
    private const int textsOfPiece = 1 << 14;
    private const int textsToLearnForm = 1000;
    private const int fewestToLearnForm = 50;

    /// <summary>Texts that share a band without being alike are compared with the first of them only, so that the time stays linear.</summary>
    private const int mostCompared = 32;

    private static readonly uint[] factors = new uint[hashCount];
    private static readonly uint[] offsets = new uint[hashCount];

    /// <summary>Of so many texts each: no array grows with their number, nor has more bytes than it can.</summary>
    private readonly List<byte[]> signatures = [];

    private int signedCount;
    private readonly List<ulong> normalized = [];
    private readonly List<uint> pieces = [];
    private readonly uint[] minima = new uint[hashCount];
    private List<uint[]>? first = [];
    private HashSet<uint> form = [];

    static NearDuplicates()
    {
        var random = new SplitMix64(1997);
        for (var i = 0; i < hashCount; i++)
            (factors[i], offsets[i]) = ((uint)random.Next() | 1, (uint)random.Next());
    }

    /// <summary>The texts or ids that were added, equal ones counted again.</summary>
    public int Count => normalized.Count;

    public void Add(ReadOnlySpan<char> text)
    {
        var plain = NormalizedText.Of(text);
        Add(MemoryMarshal.Cast<char, ushort>(plain), charactersOfPiece, TextHash.Of(plain));
    }

    public void Add(ReadOnlySpan<int> ids) => Add(ids, idsOfPiece, TextHash.Of(ids));

    /// <summary>For each text the hash of it in lower case, with single spaces.</summary>
    public IReadOnlyList<ulong> Normalized => normalized;

    /// <summary>
    /// Joins texts that are nearly the same, or the same but for white space and case; what is like a third is like the others.
    /// </summary>
    public DisjointSets Sets(double similarity)
    {
        LearnForm();
        var sets = new DisjointSets(Count);
        var firstOf = new Dictionary<ulong, int>();
        for (var i = 0; i < Count; i++)
            if (!firstOf.TryAdd(normalized[i], i))
                sets.Union(firstOf[normalized[i]], i);
        var needed = (int)Math.Ceiling(similarity * hashCount);
        for (var band = 0; band < hashCount; band += hashesOfBand)
            JoinWithin(band, [.. firstOf.Values], needed, sets);
        return sets;
    }

    private void JoinWithin(int band, int[] texts, int needed, DisjointSets sets)
    {
        var keys = new uint[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            keys[i] = MemoryMarshal.Read<uint>(SignatureOf(texts[i])[band..]);
        Array.Sort(keys, texts);
        var compared = new List<int>();
        for (var i = 0; i < texts.Length; i++)
        {
            if (i == 0 || keys[i] != keys[i - 1])
                compared.Clear();
            var isAlike = false;
            foreach (var other in compared)
                if (sets.Find(other) == sets.Find(texts[i]) || AgreeingHashes(other, texts[i]) >= needed)
                {
                    sets.Union(other, texts[i]);
                    isAlike = true;
                    break;
                }
            if (!isAlike && compared.Count < mostCompared)
                compared.Add(texts[i]);
        }
    }

    private Span<byte> SignatureOf(int text) => signatures[text / textsOfPiece].AsSpan(text % textsOfPiece * hashCount, hashCount);

    private int AgreeingHashes(int first, int second)
    {
        var one = SignatureOf(first);
        var other = SignatureOf(second);
        var count = 0;
        for (var i = 0; i < hashCount; i++)
            count += one[i] == other[i] ? 1 : 0;
        return count;
    }

    private void Add<T>(ReadOnlySpan<T> units, int unitsOfPiece, ulong normalizedHash)
        where T : unmanaged, IBinaryInteger<T>
    {
        normalized.Add(normalizedHash);
        pieces.Clear();
        for (var start = 0; start == 0 || start + unitsOfPiece <= units.Length; start++)
        {
            ulong hash = 0;
            foreach (var unit in units[start..Math.Min(start + unitsOfPiece, units.Length)])
                hash = (hash + uint.CreateTruncating(unit) + 1) * 0x9e3779b97f4a7c15;
            pieces.Add((uint)(SplitMix64.Mix(hash) >> 32));
        }
        if (first is null)
        {
            Sign(CollectionsMarshal.AsSpan(pieces));
            return;
        }
        first.Add([.. pieces]);
        if (first.Count == textsToLearnForm)
            LearnForm();
    }

    private void LearnForm()
    {
        if (first is null)
            return;
        if (first.Count >= fewestToLearnForm)
            form = [.. first.SelectMany(text => text.Distinct()).CountBy(piece => piece)
                .Where(piece => piece.Value * 4 > first.Count).Select(piece => piece.Key)];
        foreach (var text in first)
            Sign(text);
        first = null;
    }

    private void Sign(Span<uint> all)
    {
        var count = 0;
        // A piece of the form moves behind those that count.
        if (form.Count > 0)
            for (var i = 0; i < all.Length; i++)
                if (!form.Contains(all[i]))
                    (all[count], all[i], count) = (all[i], all[count], count + 1);
        var counting = count > 0 ? all[..count] : all;
        for (var i = 0; i < hashCount; i += Vector<uint>.Count)
        {
            var (factor, offset, smallest) = (new Vector<uint>(factors, i), new Vector<uint>(offsets, i), Vector<uint>.AllBitsSet);
            foreach (var piece in counting)
                smallest = Vector.Min(smallest, new Vector<uint>(piece) * factor + offset);
            smallest.CopyTo(minima, i);
        }
        if (signedCount % textsOfPiece == 0)
            signatures.Add(new byte[textsOfPiece * hashCount]);
        var signature = SignatureOf(signedCount++);
        for (var i = 0; i < hashCount; i++)
            signature[i] = (byte)(SplitMix64.Mix(minima[i]) >> 56);
    }
}
