using System.Net;
using DnsClient;
using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>The texts of names, asked of name servers: the runtime resolves addresses only. The library for it is loaded by the first question.</summary>
internal static class NameTexts
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // for one server; the dialer has a deadline for all
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);
    private static readonly Lock Gate = new(); // guards the field below

    private static (LookupClient Client, int Version)? s_system;

    /// <summary>Asks the servers that the system names now; answers are kept as long as they say, and five minutes at most.</summary>
    /// <exception cref="IOException">No server answers, or it refuses.</exception>
    public static Task<IReadOnlyList<string>> QueryAsync(string name, CancellationToken cancellationToken)
    {
        LookupClient client;
        int version = NetworkChanges.Version;
        lock (Gate)
        {
            if (s_system is not { } known || known.Version != version)
                s_system = known = (new LookupClient(Settle(new LookupClientOptions())), version);
            client = known.Client;
        }

        return QueryAsync(client, name, cancellationToken);
    }

    /// <summary>Asks one server.</summary>
    /// <inheritdoc cref="QueryAsync(string, CancellationToken)"/>
    public static Task<IReadOnlyList<string>> QueryAsync(IPEndPoint server, string name, CancellationToken cancellationToken) =>
        QueryAsync(new LookupClient(Settle(new LookupClientOptions(server))), name, cancellationToken);

    private static LookupClientOptions Settle(LookupClientOptions options)
    {
        (options.Timeout, options.Retries, options.MaximumCacheTimeout) = (Patience, 1, Kept);
        return options;
    }

    private static async Task<IReadOnlyList<string>> QueryAsync(LookupClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            IDnsQueryResponse answer = await client.QueryAsync(name, QueryType.TXT, cancellationToken: cancellationToken).ConfigureAwait(false);
            return !answer.HasError || answer.Header.ResponseCode == DnsHeaderResponseCode.NotExistentDomain
                ? [.. answer.Answers.TxtRecords().Select(static record => string.Concat(record.Text))]
                : throw new IOException($"the name server answers: {answer.ErrorMessage}");
        }
        catch (Exception error) when (error is not (OperationCanceledException or IOException))
        {
            // the library says by many kinds of exceptions what is wrong with a name, a server or its answer
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException(
                error switch
                {
                    DnsResponseException => "no name server answers",
                    ArgumentException => "not a name that can be resolved",
                    _ => "the name server's answer makes no sense",
                },
                error);
        }
    }
}
