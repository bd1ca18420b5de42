namespace P2P.Testing;

/// <summary>
/// The content of a file on a <see cref="FaultyDisk"/>: what it reads as now, what would surely be there after a power cut, and the changes between the two.
/// Its disk's gate guards it.
/// </summary>
internal sealed class FaultyFile(ulong inode)
{
    private readonly List<FileChange> _pending = [];
    private byte[] _bytes = [];
    private byte[] _durable = [];
    private int _durableLength;
    private long _durableModifiedNs;

    public ulong Inode { get; } = inode;

    /// <summary>How many names it has.</summary>
    public int Links { get; set; }

    public int Length { get; private set; }

    public long ModifiedNs { get; set; }

    /// <summary>Whether everything in it was flushed.</summary>
    public bool IsFlushed => _pending.Count == 0;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public int Read(Span<byte> destination, long offset)
    {
        if (offset >= Length)
            return 0;
        int length = (int)Math.Min(destination.Length, Length - offset);
        _bytes.AsSpan((int)offset, length).CopyTo(destination);
        return length;
    }

    public void Write(ReadOnlySpan<byte> data, long offset)
    {
        int start = checked((int)offset);
        Put(ref _bytes, data, start);
        Length = Math.Max(Length, start + data.Length);
        _pending.Add(new FileChange(start, data.ToArray(), Length));
    }

    public void Truncate(long length)
    {
        int cut = checked((int)length);
        Cut(ref _bytes, Length, cut);
        Length = cut;
        _pending.Add(new FileChange(0, null, cut));
    }

    public void Flush()
    {
        foreach (FileChange change in _pending)
            change.Apply(ref _durable, ref _durableLength);
        _pending.Clear();
        _durableModifiedNs = ModifiedNs;
    }

    /// <summary>A flush failed and the system forgot what it should have written: it reads as before, and no later flush writes it.</summary>
    public void Forget() => _pending.Clear();

    /// <summary>Changes a byte behind the back of everybody, as a disk does that ages. It is not a change: no time, no flush.</summary>
    public void Flip(int offset, byte mask)
    {
        _bytes[offset] ^= mask;
        if (offset < _durableLength)
            _durable[offset] ^= mask;
    }

    /// <summary>What a power cut leaves of it.</summary>
    public FaultyFile Survive(Random random)
    {
        FaultyFile survivor = new(Inode) { _durableModifiedNs = _durableModifiedNs };
        (byte[] bytes, int length) = (_durable.AsSpan(0, _durableLength).ToArray(), _durableLength);
        if (_pending.Count > 0 && PowerCut.Apply(_pending, ref bytes, ref length, random))
            survivor._durableModifiedNs = ModifiedNs;
        (survivor._durable, survivor._durableLength) = (bytes, length);
        (survivor._bytes, survivor.Length, survivor.ModifiedNs) = (bytes.AsSpan(0, length).ToArray(), length, survivor._durableModifiedNs);
        return survivor;
    }

    internal static void Put(ref byte[] bytes, ReadOnlySpan<byte> data, int offset)
    {
        if (offset + data.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(offset + data.Length, bytes.Length * 2));
        data.CopyTo(bytes.AsSpan(offset));
    }

    /// <summary>Sets the length; what a longer file gains is zeros, also where there once was something else.</summary>
    internal static void Cut(ref byte[] bytes, int length, int newLength)
    {
        if (newLength > bytes.Length)
            Array.Resize(ref bytes, newLength);
        if (newLength < length)
            bytes.AsSpan(newLength, length - newLength).Clear();
    }
}

/// <summary>One change of a file that was not flushed.</summary>
/// <param name="Offset">Where the bytes go.</param>
/// <param name="Data">The bytes; null: the file got the length.</param>
/// <param name="Length">Length of the file after it.</param>
internal readonly record struct FileChange(int Offset, byte[]? Data, int Length)
{
    public void Apply(ref byte[] bytes, ref int length)
    {
        if (Data is null)
        {
            FaultyFile.Cut(ref bytes, length, Length);
            length = Length;
            return;
        }
        ApplyPart(ref bytes, ref length, 0, Data.Length);
    }

    public void ApplyPart(ref byte[] bytes, ref int length, int start, int count)
    {
        FaultyFile.Put(ref bytes, Data.AsSpan(start, count), Offset + start);
        length = Math.Max(length, Offset + start + count);
    }
}
