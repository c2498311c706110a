using RewardModel.Files;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>
/// The weights of a Hugging Face checkpoint: <c>model.safetensors</c>, or several files with <c>model.safetensors.index.json</c>.
/// As in transformers, the single file is taken where both are present. A <c>value_head.safetensors</c> beside them is part of the
/// checkpoint. Pickles are never read.
/// </summary>
internal sealed class CheckpointReader : IDisposable
{
    private const string Advice = "Download or save the checkpoint again.";

    private readonly string directory;
    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> tensors = [];
    private bool isDisposed;

    private CheckpointReader(string directory) => this.directory = directory;

    /// <summary>The checkpoint's.</summary>
    public string Directory => directory;

    /// <summary>The tensors' names, sorted.</summary>
    public IReadOnlyList<string> Names => [.. tensors.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The type that all tensors have, if that is one of half the size of Float32; else Float32, which holds them all.</summary>
    public ScalarType WeightType => tensors.Values.Select(tensor => tensor.Entry.Type).Distinct().ToArray() switch
    {
        [SafetensorsType.BF16] => ScalarType.BFloat16,
        [SafetensorsType.F16] => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>Opens a checkpoint's weights and checks everything but the values.</summary>
    /// <param name="directory">The checkpoint's.</param>
    /// <param name="besideAdapter">Whether an adapter may lie beside them, because the caller takes it as well.</param>
    /// <exception cref="CheckpointException">
    /// There are no weights, a file is no valid safetensors file, index and files disagree, or a file lies outside the directory.
    /// </exception>
    public static CheckpointReader Open(string directory, bool besideAdapter = false)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var problems = new ProblemList();
        if (!besideAdapter)
            CheckpointLayout.CheckNoAdapter(directory);
        if (FolderFile.Exists(directory, CheckpointLayout.SingleFile))
            return OpenFiles(directory, [CheckpointLayout.SingleFile], listed: null, problems);
        if (!FolderFile.Exists(directory, CheckpointLayout.IndexFile))
            throw CheckpointLayout.Incomplete(
                directory, $"there is no {CheckpointLayout.SingleFile} and no {CheckpointLayout.IndexFile}", Advice);
        var listed = CheckpointIndex.Read(directory, problems);
        return OpenFiles(directory, listed.Values.Distinct().Order(StringComparer.Ordinal), listed, problems);
    }

    /// <summary>Opens an adapter's weights, with the head that LLaMA-Factory puts beside them, and checks everything but the values.</summary>
    /// <exception cref="CheckpointException">There are none, or a file can't be used.</exception>
    public static CheckpointReader OpenAdapter(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return FolderFile.Exists(directory, CheckpointLayout.AdapterFile)
            ? OpenFiles(directory, [CheckpointLayout.AdapterFile], listed: null, new ProblemList())
            : throw new CheckpointException(
                directory, [$"there is an {CheckpointLayout.AdapterConfigFile}, but no {CheckpointLayout.AdapterFile}"],
                "Pickles (adapter_model.bin) can run any program and are never read: if you trust this one, load it in peft and write it "
                + "with save_pretrained.");
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return tensors.ContainsKey(name);
    }

    /// <summary>A tensor's type and shape.</summary>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public SafetensorsEntry Entry(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name).Entry;
    }

    /// <summary>Reads a tensor's values into a new tensor on the CPU, which the caller disposes.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="dtype">The type to convert to; null for the file's own.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or its file became shorter.</exception>
    public Tensor Read(string name, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        TorchLibraries.Require();
        var (file, entry) = Find(name);
        return TensorBytes.Read(file, entry, dtype);
    }

    /// <summary>Sets a tensor to some of another one's values in the file, so that no more than these are read.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="first">Index of the first element that is read, in row-major order.</param>
    /// <param name="target">Gets as many elements as it has, converted to its type; contiguous, on any device.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or its file became shorter.</exception>
    public void Read(string name, long first, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(target);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var (file, entry) = Find(name);
        TensorBytes.Read(file, entry, first, target);
    }

    /// <summary>Whether <see cref="ReadSingles"/> takes a tensor and its target.</summary>
    internal bool CanReadSingles(string name, Tensor target) =>
        FloatBytes.CanTake(TensorBytes.ToScalarType(Entry(name).Type)) && KernelSupport.CanTake(target) && target.is_contiguous();

    /// <summary>Sets a tensor to another one's values in the file.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="target">As many elements, float32 on the CPU, contiguous.</param>
    /// <returns>Whether all are finite.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or its file became shorter.</exception>
    internal bool ReadSingles(string name, Tensor target)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var (file, entry) = Find(name);
        return TensorBytes.ReadSingles(file, entry, target);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        isDisposed = true;
        files.ForEach(file => file.Dispose());
    }

    private static CheckpointReader OpenFiles(
        string directory, IEnumerable<string> names, IReadOnlyDictionary<string, string>? listed, ProblemList problems)
    {
        var reader = new CheckpointReader(directory);
        try
        {
            var unreadable = names.Where(name => !reader.TryAdd(name, listed, problems)).ToHashSet();
            if (FolderFile.Exists(directory, CheckpointLayout.ValueHeadFile))
                reader.TryAdd(CheckpointLayout.ValueHeadFile, listed: null, problems);
            foreach (var (tensor, file) in listed ?? new Dictionary<string, string>())
                if (!unreadable.Contains(file) && !reader.Contains(tensor))
                    problems.Add($"tensor {Quoted.Text(tensor)} is not in {Quoted.Text(file)}, where the index lists it");
            problems.ThrowIfAny(directory, Advice);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private bool TryAdd(string name, IReadOnlyDictionary<string, string>? listed, ProblemList problems)
    {
        if (FolderFile.WhyRefused(directory, name) is { } reason)
        {
            problems.Add(reason);
            return false;
        }
        SafetensorsFile file;
        try
        {
            file = SafetensorsFile.Open(FolderFile.PathOf(directory, name));
        }
        catch (CheckpointException e)
        {
            foreach (var problem in e.Problems)
                problems.Add($"{Quoted.Text(name)}: {problem}", e.Advice == SafetensorsFile.Advice ? null : e.Advice);
            return false;
        }
        files.Add(file);
        foreach (var entry in file.Entries)
            if (listed is null || listed.GetValueOrDefault(entry.Name) == name)
            {
                if (!tensors.TryAdd(entry.Name, (file, entry)))
                    problems.Add($"tensor {Quoted.Text(entry.Name)} is in {Quoted.Text(name)} and in another file; expected it once");
            }
            else
                problems.Add($"tensor {Quoted.Text(entry.Name)} is in {Quoted.Text(name)}, where the index does not list it");
        return true;
    }

    private (SafetensorsFile File, SafetensorsEntry Entry) Find(string name)
    {
        if (tensors.TryGetValue(name, out var tensor))
            return tensor;
        const string advice = "Expected a checkpoint of the architecture that its config.json names.";
        throw new CheckpointException(directory, [$"there is no tensor {Quoted.Text(name)}"], advice);
    }
}
