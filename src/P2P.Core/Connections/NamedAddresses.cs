using P2P.Core.Addresses;

namespace P2P.Core.Connections;

/// <summary>Finds the addresses of a peer behind a <c>/dnsaddr</c> name: texts of the name <c>_dnsaddr.NAME</c>, each a whole address, which may be such a name again.</summary>
/// <param name="readTexts">Reads the texts of a name.</param>
internal sealed class NamedAddresses(Func<string, CancellationToken, Task<IReadOnlyList<string>>> readTexts)
{
    /// <summary>Names behind names are followed so far (count), the first one included.</summary>
    public const int MaxLevels = 2;

    /// <summary>Addresses in all (count), and names that are asked about at each level.</summary>
    public const int MaxAnswers = 16;

    /// <summary>A longer text is no address (characters).</summary>
    private const int MaxTextLength = 1024;

    private const string Prefix = "dnsaddr=";

    /// <summary>Looks them up. Texts that are malformed or name another peer, or none, do not count.</summary>
    /// <param name="name">The name.</param>
    /// <param name="peer">Whose addresses are wanted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Addresses without the peer, none of which is a <c>/dnsaddr</c> again; one at least.</returns>
    /// <exception cref="IOException">There is none, or no name server answers.</exception>
    public async Task<IReadOnlyList<Multiaddress>> FindAsync(string name, PeerId peer, CancellationToken cancellationToken)
    {
        List<Multiaddress> found = [];
        List<string> names = [name], seen = [name];
        IOException? failure = null;
        for (int level = 0; level < MaxLevels && names.Count > 0; level++)
        {
            List<string> next = [];
            foreach (string asked in names)
            {
                try
                {
                    Sort(await readTexts($"_dnsaddr.{asked}", cancellationToken).ConfigureAwait(false), peer, found, next);
                }
                catch (IOException error)
                {
                    failure = error; // others may do
                }
            }

            names = [.. next.Except(seen, StringComparer.OrdinalIgnoreCase).Take(MaxAnswers)];
            seen.AddRange(names);
        }

        return found.Count > 0 ? found : throw failure ?? new IOException($"{name} names no address of this peer (texts of _dnsaddr.{name})");
    }

    private static void Sort(IReadOnlyList<string> texts, PeerId peer, List<Multiaddress> found, List<string> names)
    {
        foreach (string text in texts)
        {
            if (text.Length > MaxTextLength || !text.StartsWith(Prefix, StringComparison.Ordinal)
                || !Multiaddress.TryParse(text[Prefix.Length..], null, out Multiaddress? address) || address.PeerId != peer)
                continue;
            Multiaddress place = address.WithoutPeerId();
            if (place.TryGetDnsHost(out string? host, out _, out DnsKind kind) && kind == DnsKind.Dnsaddr)
                names.Add(host);
            else if (found.Count < MaxAnswers && !found.Contains(place))
                found.Add(place);
        }
    }
}
