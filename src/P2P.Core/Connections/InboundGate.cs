using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Connections;

/// <summary>Bounds the inbound handshakes under way, in all and per network prefix, so that half-open connections cannot keep others out. Thread-safe.</summary>
/// <remarks>
/// A newcomer always gets in; when there are too many, one other goes: of the prefix that holds most, the one that got least far, and of those the oldest.
/// So a flood from one place displaces itself, and a peer that answers promptly is past its handshake before its turn comes.
/// </remarks>
internal sealed class InboundGate(int max, int maxPerPrefix)
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly LinkedList<Slot> _slots = []; // oldest first
    private readonly Dictionary<ulong, int> _perPrefix = [];

    /// <summary>Handshakes under way.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count;
            }
        }
    }

    /// <summary>Takes a place. <paramref name="evict"/> is called, once and from another caller's thread, if it must be given up; it must not block.</summary>
    public Slot Enter(IPAddress? address, Action evict)
    {
        ulong prefix = PrefixOf(address);
        bool isLoopback = address is not null && IPAddress.IsLoopback(address);
        Slot slot = new(this, prefix, evict);
        Slot? victim = null;
        lock (_gate)
        {
            int held = _perPrefix.GetValueOrDefault(prefix);
            if (!isLoopback && held >= maxPerPrefix)
            {
                victim = LeastDeserving(prefix);
            }
            else if (_slots.Count >= max)
            {
                victim = LeastDeserving(_perPrefix.MaxBy(entry => entry.Value).Key);
            }

            if (victim is not null)
            {
                Remove(victim);
            }

            slot.Node = _slots.AddLast(slot);
            _perPrefix[prefix] = _perPrefix.GetValueOrDefault(prefix) + 1;
        }

        victim?.Evict();
        return slot;
    }

    /// <summary>The part of an address that one operator holds: /24 of IPv4, /48 of IPv6.</summary>
    internal static ulong PrefixOf(IPAddress? address)
    {
        if (address is null)
        {
            return 0;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        ulong top = BinaryPrimitives.ReadUInt64BigEndian(bytes);

        // the lowest bits tell the families apart, and both from "no address"
        return address.AddressFamily == AddressFamily.InterNetwork ? (top & 0xffff_ff00_0000_0000) | 1 : (top & 0xffff_ffff_ffff_0000) | 2;
    }

    private Slot LeastDeserving(ulong prefix) => _slots.Where(slot => slot.Prefix == prefix).MinBy(slot => slot.Stage)!; // the first, so oldest, of equals

    private void Remove(Slot slot)
    {
        if (slot.Node is not { } node)
        {
            return;
        }

        slot.Node = null;
        _slots.Remove(node);
        int left = _perPrefix[slot.Prefix] - 1;
        if (left == 0)
        {
            _perPrefix.Remove(slot.Prefix);
        }
        else
        {
            _perPrefix[slot.Prefix] = left;
        }
    }

    /// <summary>One handshake's place; disposing gives it back.</summary>
    internal sealed class Slot(InboundGate owner, ulong prefix, Action evict) : IDisposable
    {
        private int _stage;

        /// <summary>How far it got: 0 nothing received, then one more for each step.</summary>
        public int Stage => Volatile.Read(ref _stage);

        /// <summary>Whether it lost its place to another.</summary>
        public bool IsEvicted { get; private set; }

        internal ulong Prefix => prefix;

        internal LinkedListNode<Slot>? Node { get; set; }

        /// <summary>The peer got one step further.</summary>
        public void Advance() => Interlocked.Increment(ref _stage);

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner.Remove(this);
            }
        }

        internal void Evict()
        {
            IsEvicted = true;
            evict();
        }
    }
}
