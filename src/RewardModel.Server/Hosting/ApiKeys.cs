using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using RewardModel.Files;

namespace RewardModel.Server.Hosting;

/// <summary>The keys that requests may have.</summary>
internal sealed class ApiKeys
{
    private const string header = "X-API-Key", scheme = "Bearer ";

    private readonly byte[][] digests;

    /// <param name="options">Have them, and the file of more.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="ArgumentException">The file has no key, so that everybody could use the models.</exception>
    public ApiKeys(RewardServerOptions options)
    {
        // Once: it may be a pipe.
        string[] ofFile = options.ApiKeyFile is null ? []
            : [.. InputFile.ReadLines(options.ApiKeyFile, FileKind.Settings).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
        if (options.ApiKeyFile is not null && ofFile.Length == 0)
            throw new ArgumentException($"ApiKeyFile is '{options.ApiKeyFile}', which has no key; expected a file of keys, one a line.");
        digests = [.. options.ApiKeys.Concat(ofFile).Distinct(StringComparer.Ordinal).Select(Digest)];
    }

    /// <summary>Whether requests need one.</summary>
    public bool AreNeeded => digests.Length > 0;

    /// <summary>
    /// Which of the keys a request has; null where it has none of them. How long that takes tells nothing of the keys: their digests are
    /// compared, whole, and all of them.
    /// </summary>
    public int? Find(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        var key = authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            ? authorization[scheme.Length..].Trim() : request.Headers[header].ToString();
        var digest = Digest(key);
        int? found = null;
        for (var i = 0; i < digests.Length; i++)
            if (CryptographicOperations.FixedTimeEquals(digest, digests[i]))
                found = i;
        return found;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
