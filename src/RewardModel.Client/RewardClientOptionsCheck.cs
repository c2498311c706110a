using Microsoft.Extensions.Options;

namespace RewardModel.Client;

/// <summary>What is wrong with the options of a client, before it is made.</summary>
internal sealed class RewardClientOptionsCheck : IValidateOptions<RewardClientOptions>
{
    public ValidateOptionsResult Validate(string? name, RewardClientOptions options)
    {
        string[] problems =
        [
            .. options.BaseAddress is null
                ? (string[])[$"{nameof(options.BaseAddress)} is not set; expected where the server is, such as http://localhost:5000."]
                : [],
            .. options.Problems(),
        ];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
