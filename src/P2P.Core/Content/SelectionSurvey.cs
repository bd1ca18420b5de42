using System.Text;

namespace P2P.Core.Content;

/// <summary>Looks, before anything is fetched, what of a tree a selection picks. Loads only the folders on the way there.</summary>
internal static class SelectionSurvey
{
    private const int MaxNamesCompared = 20_000;
    private const int MaxNameChars = 256;
    private const int NamesShown = 3;

    /// <summary>Sums what the folders claim of the sizes of what is selected.</summary>
    /// <exception cref="SelectionException">A pattern matches nothing; the message has the nearest names.</exception>
    public static async Task<long> LookAsync(NodeLoader loader, Cid root, Selection selection, long maxEntries, CancellationToken cancellationToken)
    {
        long bytes = 0;
        var walk = new TreeWalk(loader, root, maxEntries, cancellationToken, selection, isSurvey: true);
        await using (walk.ConfigureAwait(false))
        {
            while (await walk.MoveNextAsync().ConfigureAwait(false))
            {
                if (walk.Current is { Step: TreeStep.Passed, Scope: SelectionScope.Inside, ClaimedBytes: long claimed })
                    bytes = Math.Min(bytes, long.MaxValue - claimed) + claimed;
            }
        }

        if (!selection.Unmatched.Any())
            return bytes;
        List<string> names = await NamesOnTheWayAsync(loader, root, selection, maxEntries, cancellationToken).ConfigureAwait(false);
        throw Unmatched(selection.Unmatched.First(), names);
    }

    // the names of the folders that the patterns lead through: those of the level where they failed are among them
    private static async Task<List<string>> NamesOnTheWayAsync(NodeLoader loader, Cid root, Selection selection, long maxEntries, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        var folders = new Stack<string>();
        selection.IsThorough = true;
        var walk = new TreeWalk(loader, root, maxEntries, cancellationToken, selection, isSurvey: true);
        await using (walk.ConfigureAwait(false))
        {
            while (names.Count < MaxNamesCompared && await walk.MoveNextAsync().ConfigureAwait(false))
            {
                TreeEntry entry = walk.Current;
                if (entry.Step == TreeStep.LeaveFolder)
                {
                    folders.Pop();
                    continue;
                }

                string name = Encoding.UTF8.GetString(entry.Name.Span[..Math.Min(entry.Name.Length, MaxNameChars)]);
                string path = folders.TryPeek(out string? folder) && folder.Length > 0 ? $"{folder}/{name}" : name;
                if (path.Length is > 0 and <= MaxNameChars)
                    names.Add(path);
                if (entry.Step == TreeStep.EnterFolder)
                    folders.Push(path.Length <= MaxNameChars ? path : path[..MaxNameChars]);
            }
        }

        return names;
    }

    private static SelectionException Unmatched(string pattern, List<string> names)
    {
        string shown = Diagnostics.UntrustedText.Clean(pattern);
        string[] nearest = [.. names.OrderBy(name => EditDistance.Between(pattern, name)).ThenBy(static name => name, StringComparer.Ordinal).Take(NamesShown)];
        string near = nearest.Length == 0 ? "" : $" The nearest names are {string.Join(", ", nearest.Select(name => $"'{Diagnostics.UntrustedText.Clean(name)}'"))}.";
        string hint = pattern.Contains('/') ? "" : $" A pattern begins at the root; '**/{shown}' is that name in any folder.";
        return new SelectionException($"Nothing in this content matches '{shown}'.{near}{hint}");
    }
}
