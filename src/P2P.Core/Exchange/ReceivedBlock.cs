using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>Work for a verification worker: a block that came from a peer, or a request that the store can fulfil.</summary>
/// <param name="Peer">Who sent it.</param>
/// <param name="Prefix">How its CID is made.</param>
/// <param name="Buffer">The bytes, which belong to the worker; null for a request to the store.</param>
/// <param name="Session">Whose request the store fulfils.</param>
/// <param name="Request">That request.</param>
internal readonly record struct ReceivedBlock(PeerId Peer, BlockPrefix Prefix, BlockBuffer? Buffer, BitswapSession? Session, WantRequest Request);
