using System.Buffers;

namespace P2P.Core.Primitives;

/// <summary>
/// The unsigned varint of multiformats: little end first, seven bits a byte, at most nine bytes, and only in its shortest form.
/// Protobuf's varint is laxer (ten bytes, any form); <see cref="ProtobufReader"/> reads that one.
/// </summary>
internal static class UVarint
{
    /// <summary>The longest encoding (bytes): 63 bits.</summary>
    public const int MaxBytes = 9;

    /// <summary>The largest value: 2^63 - 1.</summary>
    public const ulong MaxValue = long.MaxValue;

    /// <summary>Reads one value. Nothing is consumed unless the result is <see cref="OperationStatus.Done"/>.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out ulong value, out int consumed)
    {
        ulong result = 0;
        int length = Math.Min(source.Length, MaxBytes);
        for (int i = 0; i < length; i++)
        {
            byte current = source[i];
            result |= (ulong)(current & 0x7F) << (7 * i);
            if (current < 0x80)
            {
                // a last byte of zero adds nothing: the value has a shorter form
                bool minimal = current != 0 || i == 0;
                value = minimal ? result : 0;
                consumed = minimal ? i + 1 : 0;
                return minimal ? OperationStatus.Done : OperationStatus.InvalidData;
            }
        }

        value = 0;
        consumed = 0;
        return length < MaxBytes ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
    }

    /// <summary>Reads one value, advancing the reader only when the result is <see cref="OperationStatus.Done"/>.</summary>
    public static OperationStatus TryRead(ref SequenceReader<byte> source, out ulong value)
    {
        OperationStatus status;
        if (source.UnreadSpan.Length >= MaxBytes || source.UnreadSpan.Length == source.Remaining)
        {
            status = TryRead(source.UnreadSpan, out value, out int consumed);
            source.Advance(consumed);
            return status;
        }

        Span<byte> start = stackalloc byte[MaxBytes];
        start = start[..(int)Math.Min(MaxBytes, source.Remaining)];
        source.TryCopyTo(start);
        status = TryRead(start, out value, out int length);
        source.Advance(length);
        return status;
    }

    /// <summary>Writes the value and returns its length (bytes).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value needs more than 63 bits.</exception>
    public static int Write(Span<byte> destination, ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        int i = 0;
        while (value >= 0x80)
        {
            destination[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[i++] = (byte)value;
        return i;
    }

    /// <summary>The length of the value's encoding (bytes).</summary>
    public static int SizeOf(ulong value) => (System.Numerics.BitOperations.Log2(value | 1) / 7) + 1;
}
