namespace RewardModel.Fuzz.Seeds;

/// <summary>Bodies of requests, beside the examples that every protocol has.</summary>
internal static class ServerSeeds
{
    /// <summary>The bodies.</summary>
    public static IReadOnlyList<string> Bodies { get; } =
    [
        """
        {"model": "model", "max_length": 32, "inputs": [{"id": "a", "prompt": "p", "answers": ["b", "c"]}, {"id": 2, "token_ids": [1, 2], "answers": [[3], [4, 5]]},
         {"messages": [{"role": "user", "content": "q"}], "tools": [{"name": "f"}], "answers": ["d", [{"role": "assistant", "content": "e"}]]}]}
        """,
        """{"text": "whole", "answers": ["a"]}""",
        """{"model": "model", "input": [[1, 2], [3]], "encoding_format": "base64", "use_activation": true, "truncate_prompt_tokens": 5}""",
        """{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}""",
        """{"text_1": ["a", "b"], "text_2": ["c", "d"]}""",
        """{"query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": true}""",
    ];

    /// <summary>Names that stand in no body.</summary>
    public static IReadOnlyList<string> Words { get; } =
        ["queries", "items", "data_1", "data_2", "float", "activation", "softmax", "dimensions", "user", "priority", "add_special_tokens", "add_generation_prompt"];
}
