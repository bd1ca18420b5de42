namespace P2P.Core.Identity;

/// <summary>The kinds of libp2p identity keys; the numbers are those of the keys' protobuf.</summary>
internal enum KeyType
{
    Rsa = 0,
    Ed25519 = 1,
    Secp256k1 = 2,
    Ecdsa = 3,
}
