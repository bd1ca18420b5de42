using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using P2P.Cli.Output;

namespace P2P.Cli.Control;

/// <summary>Standard output of a command that may go on in another process: what was delivered before is not written again.</summary>
/// <remarks>Content and lists come in the same order every time, so plain output is cut by its length; of events those are left out that an earlier try wrote.</remarks>
internal sealed class DeliveredOutput(Func<Stream> open, bool isJson) : IDisposable
{
    private const int EventsMax = 1 << 16;
    private const int StartBytesMax = 64 << 10;
    private const int LineBytesMax = 64 << 20;

    private readonly HashSet<ulong> _events = [];
    private readonly MemoryStream _line = new();
    private readonly MemoryStream _start = new();
    private HashSet<ulong> _earlier = [];
    private Stream? _inner;
    private long _delivered, _skip;

    private bool IsJson => isJson;

    private Stream Inner => _inner ??= open();

    /// <summary>The stream to write to; opened when it is first used.</summary>
    public Stream Open() => new View(this);

    /// <summary>The command begins again.</summary>
    public void Restart()
    {
        _skip = _delivered;
        _earlier = [.. _events];
        _line.SetLength(0);
    }

    public void Dispose() => _inner?.Dispose();

    private ReadOnlySpan<byte> New(ReadOnlySpan<byte> bytes)
    {
        if (_skip > 0 && IsOther(bytes))
            _skip = 0;
        int skipped = (int)Math.Min(_skip, bytes.Length);
        _skip -= skipped;
        ReadOnlySpan<byte> fresh = bytes[skipped..];
        _delivered += fresh.Length;
        if (_start.Length < StartBytesMax)
            _start.Write(fresh[..(int)Math.Min(fresh.Length, StartBytesMax - _start.Length)]);
        return fresh;
    }

    // A link to other addresses, say: shown as a whole. Only the beginning is kept to compare with; content cannot differ, its id says what it is.
    private bool IsOther(ReadOnlySpan<byte> bytes)
    {
        long position = _delivered - _skip;
        if (position >= _start.Length)
            return false;
        ReadOnlySpan<byte> known = _start.GetBuffer().AsSpan((int)position, (int)Math.Min(bytes.Length, _start.Length - position));
        return !bytes.StartsWith(known);
    }

    private void WriteEvents(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int end = bytes.IndexOf((byte)'\n');
            _line.Write(end < 0 ? bytes : bytes[..(end + 1)]);
            if (_line.Length > LineBytesMax)
                throw new IOException("An event is longer than any event is.");
            if (end < 0)
                return;
            bytes = bytes[(end + 1)..];
            ReadOnlyMemory<byte> line = _line.GetBuffer().AsMemory(0, (int)_line.Length);
            ulong key = KeyOf(line);
            if (_events.Count < EventsMax)
                _events.Add(key);
            if (!_earlier.Contains(key))
                Inner.Write(line.Span);
            _line.SetLength(0);
        }
    }

    // what it says, but for when, how fast, and what a first try brought here itself
    private static ulong KeyOf(ReadOnlyMemory<byte> line)
    {
        using var json = JsonDocument.Parse(line);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (JsonProperty field in json.RootElement.EnumerateObject())
        {
            if (field.Name is not ("at" or "seconds" or "bytes_already_there"))
                hash.AppendData(Encoding.UTF8.GetBytes(field.ToString()));
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    private sealed class View(DeliveredOutput all) : OneWayStream(isOutput: true)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (all.IsJson)
                all.WriteEvents(buffer);
            else if (all.New(buffer) is { Length: > 0 } fresh)
                all.Inner.Write(fresh);
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (all.IsJson)
                all.WriteEvents(buffer.Span);
            else if (all.New(buffer.Span).Length is > 0 and var count)
                await all.Inner.WriteAsync(buffer[^count..], cancellationToken);
        }

        public override void Flush() => all._inner?.Flush();
    }
}
