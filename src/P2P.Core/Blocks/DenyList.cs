using System.Globalization;
using System.Security.Cryptography;

namespace P2P.Core.Blocks;

/// <summary>
/// Blocks that this node neither holds for others, nor serves, nor fetches. Each is named by the SHA-256 of its multihash, so that the list itself tells nobody
/// where to find them.
/// </summary>
internal sealed class DenyList
{
    /// <summary>The largest list that is read (bytes): some million entries.</summary>
    private const int MaxBytes = 128 << 20;

    private readonly HashSet<MultihashKey> _hashes;

    private DenyList(HashSet<MultihashKey> hashes) => _hashes = hashes;

    /// <summary>Nothing is denied.</summary>
    public static DenyList Empty { get; } = new([]);

    /// <summary>How many blocks are denied (count).</summary>
    public int Count => _hashes.Count;

    /// <summary>What stands for a block in a list.</summary>
    public static byte[] NameOf(in Cid cid) => SHA256.HashData(cid.MultihashSpan);

    /// <summary>Reads a list: a SHA-256 in hexadecimal on each line; empty lines and those that begin with # are for people. No file is an empty list.</summary>
    /// <exception cref="P2PException"><see cref="P2PErrorCode.Store"/>: the file cannot be read, or a line is something else.</exception>
    public static DenyList Read(string path)
    {
        HashSet<MultihashKey> hashes = [];
        int number = 0;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                return Empty;
            if (file.Length > MaxBytes)
                throw new P2PException(P2PErrorCode.Store, $"The deny list {path} is larger than {MaxBytes >> 20} MiB.");
            foreach (string line in File.ReadLines(path))
            {
                number++;
                string text = line.Trim();
                if (text.Length == 0 || text[0] == '#')
                    continue;
                if (text.Length != SHA256.HashSizeInBytes * 2)
                    throw new FormatException();
                hashes.Add(MultihashKey.OfSha256(Convert.FromHexString(text)));
            }
        }
        catch (FormatException)
        {
            throw new P2PException(P2PErrorCode.Store, string.Create(CultureInfo.InvariantCulture, $"Line {number} of the deny list {path} is not a SHA-256 in hexadecimal (64 digits)."));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new P2PException(P2PErrorCode.Store, $"The deny list {path} cannot be read: {error.Message}", error);
        }

        return new DenyList(hashes);
    }

    /// <summary>Whether a block is denied.</summary>
    public bool Contains(in Cid cid) => _hashes.Count > 0 && _hashes.Contains(MultihashKey.OfSha256(NameOf(cid)));
}
