using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace RewardModel.Training.Runs;

/// <summary>
/// Reads the YAML that users write. Aliases stand for single values only: a few lines of aliases of lists of aliases would be more values than
/// memory holds.
/// </summary>
internal static class YamlText
{
    // Options are two levels deep, and reading takes a frame of the stack for each.
    private const int MaxDepth = 20;

    /// <summary>The mapping that is a text's only document; null where it is something else.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="path">What messages call it.</param>
    /// <exception cref="RunFileException">It is no YAML, or nested too deeply, or an alias stands for several values.</exception>
    public static YamlMappingNode? MappingOf(TextReader text, string path)
    {
        var yaml = text.ReadToEnd();
        try
        {
            Check(yaml, path);
            var stream = new YamlStream();
            using var reader = new StringReader(yaml);
            stream.Load(reader);
            return stream.Documents is [{ RootNode: YamlMappingNode mapping }] ? mapping : null;
        }
        catch (YamlException exception)
        {
            throw new RunFileException($"{path}:{exception.Start.Line}: invalid YAML ({exception.Message})");
        }
        // Where the parser has not foreseen what it finds.
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            throw new RunFileException($"{path}: invalid YAML ({exception.Message})");
        }
    }

    private static void Check(string yaml, string path)
    {
        using var reader = new StringReader(yaml);
        var parser = new Parser(reader);
        var singleValues = new HashSet<AnchorName>();
        for (var depth = 0; parser.MoveNext();)
        {
            var found = parser.Current!;
            depth += found.NestingIncrease;
            // The stream and the document are levels, too.
            if (depth > MaxDepth + 2)
                throw new RunFileException(
                    $"{path}:{found.Start.Line}: more than {MaxDepth} values are nested in one another; expected lines such as 'epochs: 2'.");
            if (found is Scalar { Anchor.IsEmpty: false } scalar)
                singleValues.Add(scalar.Anchor);
            else if (found is AnchorAlias alias && !singleValues.Contains(alias.Value))
                throw new RunFileException(
                    $"{path}:{found.Start.Line}: the alias '*{alias.Value}' stands for several values, or for none; expected one value. "
                    + "Write the values out.");
        }
    }
}
