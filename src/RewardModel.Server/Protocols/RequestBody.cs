using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using RewardModel.Files;
using RewardModel.Reading;

namespace RewardModel.Server.Protocols;

/// <summary>The body of a request: a JSON object, or a <see cref="RequestException"/> that says what it is instead.</summary>
internal static class RequestBody
{
    private const int MaxMessageLength = 200;

    private static readonly JsonDocumentOptions options = new() { AllowDuplicateProperties = false };

    /// <summary>Reads the whole body.</summary>
    /// <exception cref="RequestException">400, 408, 413 or 415: it is no JSON object, too late, too large, or of another type.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context)
    {
        CheckType(context.Request);
        using var buffer = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            throw OfTransport(e, context);
        }
        return Parse(buffer.ToArray());
    }

    internal static JsonDocument Parse(byte[] utf8)
    {
        if (utf8.AsSpan().IndexOfAnyExcept(" \t\r\n"u8) < 0)
            throw Malformed("The body is empty; expected a JSON object.");
        if (utf8.AsSpan().StartsWith(Encoding.UTF8.Preamble))
            throw Malformed("The body begins with a byte order mark; expected JSON in UTF-8 without one.");
        if (!Utf8.IsValid(utf8))
            throw Malformed("The body is not valid UTF-8; expected JSON in UTF-8.");
        if (LoneSurrogates.Replace(utf8) is > 0 and var count)
            throw Malformed(
                $"The body has {count} {(count == 1 ? "escape" : "escapes")} such as \\ud800 of half a character; "
                + "expected whole characters. Replace each by \\ufffd.");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, options);
        }
        catch (JsonException e)
        {
            throw Malformed($"The body is not JSON: {Reason(e)}");
        }
        var kind = document.RootElement.ValueKind;
        if (kind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw Malformed($"The body is {RequestMembers.NameOf(kind)}; expected an object.");
    }

    private static void CheckType(HttpRequest request)
    {
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        if (!request.HasJsonContentType())
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                $"The content type is {(request.ContentType is { } found ? Quoted.Text(found) : "missing")}; expected application/json.");
        if (type?.Charset is { Length: > 0 } charset
            && !HeaderUtilities.RemoveQuotes(charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                $"The body's charset is {Quoted.Text(charset.ToString())}; expected utf-8.");
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding && encoding != "identity")
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                $"The content encoding is {Quoted.Text(encoding.ToString())}; expected a body that is not compressed.");
    }

    private static RequestException OfTransport(BadHttpRequestException e, HttpContext context) =>
        e.StatusCode == StatusCodes.Status413PayloadTooLarge
            ? new RequestException(
                e.StatusCode, "too_large",
                $"The body has more than {context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize} bytes, the most that "
                + "this server takes; send fewer texts at once.")
            : new RequestException(e.StatusCode, "malformed_request", "The body could not be read to its end; send it again.");

    private static RequestException Malformed(string message) =>
        new(StatusCodes.Status400BadRequest, "malformed_json", message);

    /// <summary>What the parser says, with the place counted from 1.</summary>
    private static string Reason(JsonException e)
    {
        var place = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = place < 0 ? e.Message : e.Message[..place];
        if (reason.Length > MaxMessageLength)
            reason = $"{reason[..MaxMessageLength]}...";
        return e.LineNumber is { } line ? $"{reason} It is in line {line + 1}, byte {e.BytePositionInLine + 1}." : reason;
    }
}
