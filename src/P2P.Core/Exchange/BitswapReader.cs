using System.Buffers;
using System.Diagnostics;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Exchange;

/// <summary>
/// Takes a stream of length-prefixed messages apart as the bytes come, so that a message of 4 MiB is never in memory as a whole: block data goes
/// straight into the buffer that the caller provides, everything else is small. Keeps its place between calls and consumes all that it is given.
/// </summary>
/// <remarks>
/// Memory: one entry and one block buffer. A malformed message is final. Unknown fields are skipped, at any length within the message.
/// </remarks>
internal sealed class BitswapReader : IDisposable
{
    private const int LastVarintShift = 63;

    private readonly byte[] _small = new byte[BitswapProtocol.MaxEntryBytes];
    private readonly byte[] _prefix = new byte[BitswapProtocol.MaxPrefixBytes];
    private Step _step = Step.MessageLength;
    private Nesting _nesting;
    private Target _target;

    // all positions count from the start of the message
    private int _position;
    private int _messageEnd;
    private int _nestedEnd;

    private ulong _varint;
    private int _varintShift;
    private int _left;
    private int _smallLength;
    private int _prefixLength;
    private bool _isFull;
    private bool _isLegacyBlock;
    private bool _sawData;
    private BlockBuffer? _buffer;
    private int _filled;

    private enum Step
    {
        MessageLength,
        Tag,
        Varint,
        Length,
        Small,
        AwaitAccept,
        Data,
        Skip,
        Broken,
    }

    private enum Nesting
    {
        Message,
        Wantlist,
        Block,
    }

    /// <summary>What the field being read is.</summary>
    private enum Target
    {
        Unknown,
        Wantlist,
        Entry,
        IsFull,
        Block,
        LegacyBlock,
        Prefix,
        Data,
        Presence,
    }

    /// <summary>Bytes of accepted blocks read so far.</summary>
    public long AcceptedBytes { get; private set; }

    /// <summary>Whether the stream may end here without anything being cut off.</summary>
    public bool IsBetweenMessages => _step == Step.MessageLength && _varintShift == 0;

    /// <summary>
    /// Reads up to the next part. Done: a part. NeedMoreData: all input was consumed. InvalidData: the sender broke the protocol, and
    /// nothing more is read.
    /// </summary>
    public OperationStatus TryRead(ref ReadOnlySequence<byte> input, out BitswapPart part)
    {
        while (true)
        {
            OperationStatus status = Advance(input.FirstSpan, out int consumed, out part);
            if (consumed > 0)
                input = input.Slice(consumed);
            if (status != OperationStatus.NeedMoreData || input.IsEmpty)
                return status;
            if (input.FirstSpan.IsEmpty)
                input = SkipEmptySegment(input);
        }
    }

    /// <summary>Answers a <see cref="BitswapPartKind.BlockStart"/>: where the bytes go; null: they are read and forgotten. The reader owns the buffer until it hands it back.</summary>
    public void Accept(BlockBuffer? buffer)
    {
        if (_step != Step.AwaitAccept)
            throw new InvalidOperationException("No block has begun.");
        Debug.Assert(buffer is null || buffer.Length == _left, "the buffer has exactly the block's length");
        _buffer?.Dispose();
        _buffer = buffer;
        _filled = 0;
        _step = buffer is null ? Step.Skip : Step.Data;
    }

    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
        _step = Step.Broken;
    }

    private static ReadOnlySequence<byte> SkipEmptySegment(in ReadOnlySequence<byte> input)
    {
        SequencePosition position = input.Start;
        input.TryGet(ref position, out _);
        return input.Slice(position);
    }

    private OperationStatus Advance(ReadOnlySpan<byte> span, out int consumed, out BitswapPart part)
    {
        consumed = 0;
        part = default;
        while (true)
        {
            // one end may bring another: of the field, of what contains it, of the message
            (Step, Nesting) before;
            do
            {
                before = (_step, _nesting);
                if (OnEnds(out part) is { } status)
                    return status;
            }
            while (before != (_step, _nesting));
            if (consumed == span.Length)
                return OperationStatus.NeedMoreData;
            ReadOnlySpan<byte> rest = span[consumed..];
            switch (_step)
            {
                case Step.MessageLength or Step.Tag or Step.Varint or Step.Length:
                    consumed++;
                    if (TryAddVarintByte(rest[0], out bool complete) && (!complete || OnVarint(out part)))
                    {
                        if (complete && part.Kind == BitswapPartKind.BlockStart)
                            return OperationStatus.Done;
                        break;
                    }

                    return Break();
                default:
                    consumed += TakeBytes(rest);
                    break;
            }
        }
    }

    /// <summary>What ends where we are, without another byte: a field, a nested message, the message. Null: nothing.</summary>
    private OperationStatus? OnEnds(out BitswapPart part)
    {
        part = default;
        switch (_step)
        {
            case Step.Broken:
                return OperationStatus.InvalidData;
            case Step.AwaitAccept:
                throw new InvalidOperationException("A block has begun and nobody said where it goes.");
            case Step.Small when _left == 0:
                return OnSmall(out part);
            case Step.Data or Step.Skip when _left == 0:
                _step = Step.Tag;
                return _isLegacyBlock ? OnBlockEnd(out part) : null;
            case Step.Tag when _varintShift == 0 && _nesting == Nesting.Wantlist && _position == _nestedEnd:
                _nesting = Nesting.Message;
                part = new BitswapPart(BitswapPartKind.WantlistEnd) { Flag = _isFull };
                return OperationStatus.Done;
            case Step.Tag when _varintShift == 0 && _nesting == Nesting.Block && _position == _nestedEnd:
                return OnBlockEnd(out part);
            case Step.Tag when _varintShift == 0 && _nesting == Nesting.Message && _position == _messageEnd:
                _step = Step.MessageLength;
                part = new BitswapPart(BitswapPartKind.MessageEnd);
                return OperationStatus.Done;
            default:
                return null;
        }
    }

    /// <summary>Adds a byte to the varint being read. False: it is longer than one may be, or runs over the end of what contains it.</summary>
    private bool TryAddVarintByte(byte value, out bool complete)
    {
        complete = value < 0x80;
        if (_varintShift > LastVarintShift || (_varintShift == LastVarintShift && value > 1))
            return false;
        _varint |= (ulong)(value & 0x7F) << _varintShift;
        _varintShift += 7;
        if (_step == Step.MessageLength)
            return true;
        _position++;
        return _position <= End;
    }

    private int End => _nesting == Nesting.Message ? _messageEnd : _nestedEnd;

    /// <summary>A varint is complete. False: what it says cannot be.</summary>
    private bool OnVarint(out BitswapPart part)
    {
        part = default;
        ulong value = _varint;
        _varint = 0;
        _varintShift = 0;
        switch (_step)
        {
            case Step.MessageLength:
                if (value > BitswapProtocol.MaxMessageBytes)
                    return false;
                _position = 0;
                _messageEnd = (int)value;
                _nesting = Nesting.Message;
                _step = Step.Tag;
                return true;
            case Step.Tag:
                return value <= uint.MaxValue && OnTag((int)(value >> 3), (WireType)(value & 7));
            case Step.Varint:
                if (_target == Target.IsFull)
                    _isFull = value != 0;
                _step = Step.Tag;
                return true;
            default:
                return value <= (ulong)(End - _position) && OnLength((int)value, out part);
        }
    }

    private bool OnTag(int field, WireType type)
    {
        _target = (_nesting, field, type) switch
        {
            (Nesting.Message, 1, WireType.Bytes) => Target.Wantlist,
            (Nesting.Message, 2, WireType.Bytes) => Target.LegacyBlock,
            (Nesting.Message, 3, WireType.Bytes) => Target.Block,
            (Nesting.Message, 4, WireType.Bytes) => Target.Presence,
            (Nesting.Wantlist, 1, WireType.Bytes) => Target.Entry,
            (Nesting.Wantlist, 2, WireType.Varint) => Target.IsFull,
            (Nesting.Block, 1, WireType.Bytes) => Target.Prefix,
            (Nesting.Block, 2, WireType.Bytes) => Target.Data,
            _ => Target.Unknown,
        };
        switch (type)
        {
            case WireType.Varint:
                _step = Step.Varint;
                return field != 0;
            case WireType.Bytes:
                _step = Step.Length;
                return field != 0;
            case WireType.Fixed32 or WireType.Fixed64:
                _left = type == WireType.Fixed32 ? sizeof(uint) : sizeof(ulong);
                _step = Step.Skip;
                _isLegacyBlock = false;
                return field != 0 && _left <= End - _position;
            default:
                return false;
        }
    }

    private bool OnLength(int length, out BitswapPart part)
    {
        part = default;
        _isLegacyBlock = false;
        switch (_target)
        {
            case Target.Wantlist:
                Enter(Nesting.Wantlist, length);
                _isFull = false;
                return true;
            case Target.Block:
                Enter(Nesting.Block, length);
                _prefixLength = 0;
                _sawData = false;
                return true;
            case Target.Entry or Target.Presence or Target.Prefix:
                _left = length;
                _smallLength = 0;
                _step = Step.Small;
                return length <= (_target == Target.Prefix ? BitswapProtocol.MaxPrefixBytes : BitswapProtocol.MaxEntryBytes);
            case Target.LegacyBlock or Target.Data:
                _isLegacyBlock = _target == Target.LegacyBlock;
                part = StartBlock(length);
                return true;
            default:
                _left = length;
                _step = Step.Skip;
                return true;
        }
    }

    private void Enter(Nesting nesting, int length)
    {
        _nesting = nesting;
        _nestedEnd = _position + length;
        _step = Step.Tag;
    }

    private BitswapPart StartBlock(int length)
    {
        _sawData = true;
        _left = length;
        _step = Step.AwaitAccept;
        return new BitswapPart(BitswapPartKind.BlockStart) { Length = length };
    }

    /// <summary>Takes what the field being read still needs and returns how much that was.</summary>
    private int TakeBytes(ReadOnlySpan<byte> rest)
    {
        ReadOnlySpan<byte> taken = rest[..Math.Min(rest.Length, _left)];
        if (_step == Step.Small)
        {
            taken.CopyTo(_small.AsSpan(_smallLength));
            _smallLength += taken.Length;
        }
        else if (_step == Step.Data)
        {
            taken.CopyTo(_buffer!.Memory.Span[_filled..]);
            _filled += taken.Length;
            AcceptedBytes += taken.Length;
        }

        _left -= taken.Length;
        _position += taken.Length;
        return taken.Length;
    }

    /// <summary>A small field is complete.</summary>
    private OperationStatus? OnSmall(out BitswapPart part)
    {
        part = default;
        _step = Step.Tag;
        ReadOnlySpan<byte> field = _small.AsSpan(0, _smallLength);
        switch (_target)
        {
            case Target.Prefix:
                field.CopyTo(_prefix);
                _prefixLength = field.Length;
                return null;
            case Target.Entry:
                return TryReadEntry(field, out part) ? OperationStatus.Done : Break();
            default:
                return TryReadPresence(field, out part) ? OperationStatus.Done : Break();
        }
    }

    private OperationStatus? OnBlockEnd(out BitswapPart part)
    {
        part = default;
        if (!_sawData)
        {
            // an empty block has no data field at all
            part = StartBlock(0);
            return OperationStatus.Done;
        }

        BlockPrefix prefix = BlockPrefix.Version0;
        if (!_isLegacyBlock && !BlockPrefix.TryRead(_prefix.AsSpan(0, _prefixLength), out prefix))
            return Break();
        _isLegacyBlock = false;
        _nesting = Nesting.Message;
        if (_buffer is null)
            return null;
        part = new BitswapPart(BitswapPartKind.Block) { Buffer = _buffer, Length = _filled, Prefix = prefix };
        _buffer = null;
        return OperationStatus.Done;
    }

    private OperationStatus Break()
    {
        Dispose();
        return OperationStatus.InvalidData;
    }

    private static bool TryReadEntry(ReadOnlySpan<byte> field, out BitswapPart part)
    {
        part = default;
        var reader = new ProtobufReader(field);
        Cid cid = default;
        ulong priority = 0, cancel = 0, kind = 0, sendDontHave = 0;
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int number, out WireType type))
                return false;
            bool read = (number, type) switch
            {
                (1, WireType.Bytes) => TryReadCid(ref reader, out cid),
                (2, WireType.Varint) => reader.TryReadVarint(out priority),
                (3, WireType.Varint) => reader.TryReadVarint(out cancel),
                (4, WireType.Varint) => reader.TryReadVarint(out kind),
                (5, WireType.Varint) => reader.TryReadVarint(out sendDontHave),
                _ => reader.TrySkip(type),
            };
            if (!read)
                return false;
        }

        // an unknown kind of want is the enum's first value, as protobuf has it
        var wanted = kind == (ulong)WantKind.Have ? WantKind.Have : WantKind.Block;
        part = new BitswapPart(BitswapPartKind.Want) { Want = new WantEntry(cid, (int)priority, wanted, cancel != 0, sendDontHave != 0) };
        return !cid.IsEmpty;
    }

    private static bool TryReadPresence(ReadOnlySpan<byte> field, out BitswapPart part)
    {
        part = default;
        var reader = new ProtobufReader(field);
        Cid cid = default;
        ulong kind = 0;
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int number, out WireType type))
                return false;
            bool read = (number, type) switch
            {
                (1, WireType.Bytes) => TryReadCid(ref reader, out cid),
                (2, WireType.Varint) => reader.TryReadVarint(out kind),
                _ => reader.TrySkip(type),
            };
            if (!read)
                return false;
        }

        part = new BitswapPart(BitswapPartKind.Presence) { Cid = cid, Flag = kind == 0 };
        return !cid.IsEmpty;
    }

    private static bool TryReadCid(ref ProtobufReader reader, out Cid cid)
    {
        cid = default;
        return reader.TryReadBytes(out ReadOnlySpan<byte> bytes) && Cid.TryFromBytes(bytes, out cid, out int consumed) && consumed == bytes.Length;
    }
}
