using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RewardModel.Checkpoints;
using RewardModel.Client;
using RewardModel.Tokenizers;
using ServeAndRank;

// Serves a trained reward model in an application, for example one of samples/TrainFromCode:
//
//   dotnet run -c Release --project samples/ServeAndRank -- serve MODEL_DIR
//
// and asks it from other programs:
//
//   dotnet run -c Release --project samples/ServeAndRank -- rank http://127.0.0.1:5000 "Sort 5 2 3 16 17 19 10 7 ascending:" \
//     "19 17 16 10 7 5 3 2" "2 3 5 7 10 16 17 19"
//   dotnet run -c Release --project samples/ServeAndRank -- evaluate http://127.0.0.1:5000 "Sort 5 2 3 16 17 19 10 7 ascending:" \
//     "2 3 5 7 10 16 17 19" 0.5
//   curl -s http://127.0.0.1:5000/best -H "Content-Type: application/json" -d '{"prompt": "...", "answers": ["...", "..."]}'

const int defaultPort = 5000;
try
{
    switch (args)
    {
        case ["serve", var directory]:
            await ServeCommand.RunAsync(directory, defaultPort);
            return 0;
        case ["serve", var directory, var text] when ushort.TryParse(text, CultureInfo.InvariantCulture, out var port) && port > 0:
            await ServeCommand.RunAsync(directory, port);
            return 0;
        case ["rank", var url, var prompt, _, _, ..] when IsAddress(url):
            await WithClientAsync(url, client => RankCommand.RunAsync(client, prompt, args[3..]));
            return 0;
        case ["evaluate", var url, var prompt, var answer] when IsAddress(url):
            await WithClientAsync(url, client => EvaluateCommand.RunAsync(client, prompt, answer, threshold: null));
            return 0;
        case ["evaluate", var url, var prompt, var answer, var text]
            when IsAddress(url) && double.TryParse(text, CultureInfo.InvariantCulture, out var threshold):
            await WithClientAsync(url, client => EvaluateCommand.RunAsync(client, prompt, answer, threshold));
            return 0;
        default:
            Console.Error.WriteLine("Usage: ServeAndRank serve MODEL_DIR [PORT, default 5000]");
            Console.Error.WriteLine("       ServeAndRank rank URL PROMPT ANSWER ANSWER...");
            Console.Error.WriteLine("       ServeAndRank evaluate URL PROMPT ANSWER [THRESHOLD]");
            return 2;
    }
}
catch (Exception e) when (e is RewardServiceException or TimeoutException
    or OptionsValidationException or CheckpointException or TokenizerException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static bool IsAddress(string text) =>
    Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps);

static async Task WithClientAsync(string url, Func<RewardClient, Task> callAsync)
{
    // Connections are IHttpClientFactory's, and the client tries again when the server is busy or away: nothing here has to.
    var services = new ServiceCollection();
    services.AddRewardClient(options => options.BaseAddress = new Uri(url));
    await using var provider = services.BuildServiceProvider();
    var client = provider.GetRequiredService<RewardClient>();
    // A server that is still loading its models is not listening yet.
    await client.WaitUntilReadyAsync(TimeSpan.FromMinutes(1));
    await callAsync(client);
}
