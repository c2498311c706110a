using System.Net;
using Microsoft.Extensions.Options;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>What is wrong with the options of a server, before a model is loaded.</summary>
internal sealed class RewardServerOptionsCheck : IValidateOptions<RewardServerOptions>
{
    private const int highestPort = 65_535;

    /// <summary>A body is one array, and its JSON takes several times as much memory.</summary>
    private const long mostRequestBytes = 1 << 30;

    public ValidateOptionsResult Validate(string? name, RewardServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = Problems(options);
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    /// <exception cref="ArgumentException">Options are wrong: all problems.</exception>
    public static void Check(RewardServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (Problems(options) is { Length: > 0 } problems)
            throw new ArgumentException(string.Join(Environment.NewLine, problems));
    }

    private static string[] Problems(RewardServerOptions options) =>
    [
        .. options.Models.Count > 0 ? (string[])[] : ["Models is empty; expected at least one model."],
        .. options.Models.SelectMany((model, i) => Problems(model, $"Models[{i}]")),
        .. options.Models.Select(model => model.ServedName).Where(name => name.Length > 0).GroupBy(name => name, StringComparer.Ordinal)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Count()} models have the name '{group.Key}'; expected a name of its own for each."),
        .. Least(nameof(options.MaxTokensPerBatch), options.MaxTokensPerBatch ?? 1, 1),
        .. Least(nameof(options.MaxQueuedTokens), options.MaxQueuedTokens, 1),
        .. Least(nameof(options.MaxQueuedRequests), options.MaxQueuedRequests, 1),
        .. Least(nameof(options.MaxRequestBytes), options.MaxRequestBytes, 1),
        .. options.MaxRequestBytes <= mostRequestBytes
            ? (string[])[] : [$"MaxRequestBytes is {options.MaxRequestBytes}; expected at most {mostRequestBytes}."],
        .. Least(nameof(options.MaxRowsPerRequest), options.MaxRowsPerRequest, 1),
        .. Least(nameof(options.RequestsPerMinutePerKey), options.RequestsPerMinutePerKey ?? 1, 1),
        .. Least(nameof(options.PromptCacheBytes), options.PromptCacheBytes, 0),
        .. Least(nameof(options.Threads), options.Threads ?? 1, 1),
        .. Time(nameof(options.BatchWindow), options.BatchWindow, mayBeZero: true),
        .. Time(nameof(options.RequestTimeout), options.RequestTimeout, mayBeZero: false),
        .. Time(nameof(options.DrainTimeout), options.DrainTimeout, mayBeZero: true),
        .. Time(nameof(options.IdleRelease), options.IdleRelease, mayBeZero: true),
        .. options.ApiKeys.Any(string.IsNullOrWhiteSpace)
            ? (string[])["ApiKeys has an empty key; expected keys of at least one character."] : [],
        .. File(nameof(options.ApiKeyFile), options.ApiKeyFile, "a file of keys, one a line"),
        .. File(nameof(options.TlsCertificateFile), options.TlsCertificateFile, "the PEM file of a certificate"),
        .. File(nameof(options.TlsKeyFile), options.TlsKeyFile, "the PEM file of the certificate's private key"),
        .. options is { TlsCertificateFile: null, TlsKeyFile: not null }
            ? (string[])["TlsCertificateFile is not set; expected both files, or neither."] : [],
        .. options is { TlsCertificateFile: not null, TlsKeyFile: null }
            ? (string[])["TlsKeyFile is not set; expected both files, or neither."] : [],
        .. options.Host == "localhost" || IPAddress.TryParse(options.Host, out _)
            ? (string[])[]
            : [$"Host is '{options.Host}'; expected an IP address, such as 127.0.0.1 or 0.0.0.0 (all of this machine's), or localhost."],
        .. options.Port is >= 0 and <= highestPort
            ? (string[])[] : [$"Port is {options.Port}; expected a number from 0 (any that is free) to {highestPort}."],
    ];

    private static IEnumerable<string> Problems(ServedModelOptions model, string place) =>
    [
        .. model.Directories.Count > 0
            ? (string[])[] : [$"{place}.Directories is empty; expected the directory of a trained reward model."],
        .. model.Directories.Where(directory => !Directory.Exists(directory)).Select(directory =>
            $"{place}.Directories has '{directory}', which does not exist; expected the directory of a trained reward model."),
        .. model.BaseDirectory is null || Directory.Exists(model.BaseDirectory)
            ? (string[])[]
            :
            [
                $"{place}.BaseDirectory is '{model.BaseDirectory}', which does not exist; expected the directory of an adapter's base model.",
            ],
        .. DeviceProblem(model.Device, $"{place}.Device"),
    ];

    private static string[] DeviceProblem(string? device, string place)
    {
        if (device is null)
            return [];
        try
        {
            Devices.Named(device, place);
            return [];
        }
        catch (ArgumentException e)
        {
            return [e.Message];
        }
    }

    private static string[] Least(string name, long value, long least) =>
        value >= least ? [] : [$"{name} is {value}; expected at least {least}."];

    /// <summary>Timers take no longer times.</summary>
    private static string[] Time(string name, TimeSpan value, bool mayBeZero) =>
        value > TimeSpan.FromDays(24) || value < TimeSpan.Zero || (value == TimeSpan.Zero && !mayBeZero)
            ? [$"{name} is {value}; expected {(mayBeZero ? "0" : "a time above 0")} to 24 days."] : [];

    private static string[] File(string name, string? path, string expected) =>
        path is null || System.IO.File.Exists(path) ? [] : [$"{name} is '{path}', which does not exist; expected {expected}."];
}
