namespace P2P.Core.Addresses;

/// <summary>One step of a multiaddress.</summary>
/// <param name="Protocol">Its protocol.</param>
/// <param name="Value">Its value in binary form, without the length; empty when it has none. A view of the address.</param>
internal readonly record struct MultiaddressComponent(MultiaddressProtocol Protocol, ReadOnlyMemory<byte> Value)
{
    /// <summary>The protocol's number.</summary>
    public int Code => Protocol.Code;

    /// <summary>The value as text; empty when it has none.</summary>
    public string ValueText => MultiaddressValue.ToText(Protocol, Value.Span);

    public override string ToString() => Protocol.Bytes == 0
        ? $"/{Protocol.Name}"
        : Protocol.IsPath ? $"/{Protocol.Name}{ValueText}" : $"/{Protocol.Name}/{ValueText}";
}
