using System.Globalization;
using P2P.Core.Dht;

namespace P2P.Core.Replication;

/// <summary>For whom something is held: a friend, or a stranger of some network, whose bytes are counted there.</summary>
/// <param name="Value">0: a friend.</param>
internal readonly record struct LeaseOrigin(ulong Value)
{
    /// <summary>Strangers whose network cannot be told share one.</summary>
    private const ulong Unknown = 1;

    /// <summary>A friend: admitted by name, or on this machine or a network that it is part of.</summary>
    public static LeaseOrigin Friend => default;

    /// <summary>Whether the bounds of strangers apply.</summary>
    public bool IsStranger => Value != 0;

    /// <summary>A stranger who comes from an address.</summary>
    public static LeaseOrigin Of(NetworkPrefix prefix) => new(prefix.IsLimited ? prefix.Value : Unknown);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x", CultureInfo.InvariantCulture);
}
