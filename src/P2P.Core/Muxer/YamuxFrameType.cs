namespace P2P.Core.Muxer;

/// <summary>What a frame is for.</summary>
internal enum YamuxFrameType : byte
{
    /// <summary>Payload follows.</summary>
    Data = 0,

    /// <summary>The length field is credit for the receiver of the frame (bytes).</summary>
    WindowUpdate = 1,

    /// <summary>The length field is an opaque value that comes back.</summary>
    Ping = 2,

    /// <summary>The session ends; the length field says why.</summary>
    GoAway = 3,
}

/// <summary>Flags of a frame; they combine.</summary>
[Flags]
internal enum YamuxFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Opens a stream; asks, in a ping.</summary>
    Syn = 1,

    /// <summary>Accepts a stream; answers, in a ping.</summary>
    Ack = 2,

    /// <summary>The sender has finished.</summary>
    Fin = 4,

    /// <summary>The stream is void, in both directions.</summary>
    Rst = 8,
}

/// <summary>Why a session ends.</summary>
internal enum YamuxGoAway : uint
{
    /// <summary>By intent.</summary>
    Normal = 0,

    /// <summary>The other side broke the protocol.</summary>
    ProtocolError = 1,

    /// <summary>The sender failed.</summary>
    InternalError = 2,
}
