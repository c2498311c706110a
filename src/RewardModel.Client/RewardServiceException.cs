using System.Net;

namespace RewardModel.Client;

/// <summary>A server has refused a request, or could not be reached.</summary>
public sealed class RewardServiceException : Exception
{
    internal RewardServiceException(HttpStatusCode? status, string code, string message, Exception? innerException = null)
        : base(message, innerException) => (Status, Code) = (status, code);

    /// <summary>The status of the response; null where there was none.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>
    /// What went wrong, for programs, as the server says it: such as <c>invalid_request</c>; <c>unreachable</c> without a response.
    /// </summary>
    public string Code { get; }
}
