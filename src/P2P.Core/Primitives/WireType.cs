namespace P2P.Core.Primitives;

/// <summary>How a protobuf field's value is laid out on the wire. Groups (3 and 4) are obsolete and refused.</summary>
internal enum WireType
{
    /// <summary>A varint.</summary>
    Varint = 0,

    /// <summary>Eight bytes, little end first.</summary>
    Fixed64 = 1,

    /// <summary>A varint length and that many bytes.</summary>
    Bytes = 2,

    /// <summary>Four bytes, little end first.</summary>
    Fixed32 = 5,
}
