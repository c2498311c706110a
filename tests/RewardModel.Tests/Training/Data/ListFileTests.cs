using RewardModel.Cli;
using RewardModel.Reading;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class ListFileTests
{
    [Fact]
    public void What_is_left_out_ignored_or_replaced_is_logged()
    {
        using var directory = new TemporaryDirectory();
        var path = directory["lists.jsonl"];
        File.WriteAllText(path, """
            {"prompt": "p", "answers": ["\ud83d", "\ude00\ude00"], "id": 1}
            {"prompt": "p", "answers": []}
            """);
        using var log = new StringWriter { NewLine = "\n" };
        Assert.Single(ListFile.Read(path, BadData.Skip, new LineLogger(log.WriteLine)).Lists);
        Assert.Equal(
            $"""
            warning: {path}:2: "answers" is empty, expected at least one item: left out
            warning: {path}: 1 lines left out, 1 lists read
            warning: {path}: 1 lines have a key 'id', which has no meaning here and is ignored
            warning: {path}: 3 lone surrogates, halves of characters, are read as U+FFFD

            """, log.ToString());
    }
}
