using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>A stretch of a file that becomes one leaf.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="IsWhole">Whether it is the whole file, which is then opened and checked here.</param>
internal readonly record struct HashPiece(ImportFile File, long Offset, int Length, bool IsWhole);

/// <summary>About a MiB of pieces that one worker reads and hashes: one chunk of a large file, or many small files.</summary>
internal sealed class HashJob(UnixFsProfile profile, BlockForm form)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<HashPiece> _pieces = [];
    private Exception?[] _failures = [];
    private BuiltNode[] _leaves = [];

    /// <summary>The pieces.</summary>
    public IReadOnlyList<HashPiece> Pieces => _pieces;

    /// <summary>Bytes of all pieces.</summary>
    public long Bytes { get; private set; }

    /// <summary>Ends when every piece was tried; cancelled when the import was.</summary>
    public Task Done => _done.Task;

    /// <summary>Adds a piece before the job is given to a worker, and returns its number.</summary>
    public int Add(in HashPiece piece)
    {
        _pieces.Add(piece);
        Bytes += piece.Length;
        return _pieces.Count - 1;
    }

    /// <summary>The leaf of a piece. False: the file was changed or could not be read, and the failure says which.</summary>
    public bool TryGetLeaf(int piece, out BuiltNode leaf, out Exception? failure)
    {
        leaf = _leaves[piece];
        failure = _failures[piece];
        return failure is null;
    }

    /// <summary>Reads and hashes the pieces. Runs on a worker with a buffer of a chunk's size and one byte more, to see a file that grew.</summary>
    public void Run(BlockBuffer buffer, CancellationToken cancellationToken)
    {
        _leaves = new BuiltNode[_pieces.Count];
        _failures = new Exception?[_pieces.Count];
        Span<byte> bytes = buffer.Memory.Span;
        for (int i = 0; i < _pieces.Count; i++)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _done.TrySetCanceled(cancellationToken); // never done by half
                return;
            }

            HashPiece piece = _pieces[i];
            try
            {
                ReadOnlySpan<byte> chunk = piece.IsWhole ? ReadWhole(piece, bytes) : ReadPart(piece, bytes);
                using MadeLeaf leaf = form.MakeLeaf(profile, chunk);
                _leaves[i] = leaf.Node;
            }
            catch (Exception error) when (error is P2PException or IOException or UnauthorizedAccessException)
            {
                _failures[i] = error; // whoever puts the tree together decides what it means
            }
        }

        _done.TrySetResult();
    }

    private static ReadOnlySpan<byte> ReadWhole(HashPiece piece, Span<byte> buffer)
    {
        int count = 0;
        using (Microsoft.Win32.SafeHandles.SafeFileHandle handle = piece.File.Open())
        {
            for (int read = -1; read != 0 && count <= piece.Length; count += read)
                read = RandomAccess.Read(handle, buffer[count..(piece.Length + 1)], count);
        }

        return count == piece.Length && piece.File.IsUnchanged() ? buffer[..count] : throw piece.File.Changed();
    }

    private static ReadOnlySpan<byte> ReadPart(HashPiece piece, Span<byte> buffer)
    {
        int count = 0;
        for (int read = -1; read != 0 && count < piece.Length; count += read)
            read = RandomAccess.Read(piece.File.Handle!, buffer[count..piece.Length], piece.Offset + count);
        return count == piece.Length ? buffer[..count] : throw piece.File.Changed();
    }
}
