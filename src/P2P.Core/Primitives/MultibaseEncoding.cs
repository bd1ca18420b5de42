namespace P2P.Core.Primitives;

/// <summary>The text encodings of multibase that occur in CIDs, peer ids, addresses and links. The value is the prefix character.</summary>
internal enum MultibaseEncoding
{
    /// <summary>Bitcoin's base58.</summary>
    Base58Btc = 'z',

    /// <summary>RFC 4648 base32, lower case, no padding.</summary>
    Base32 = 'b',

    /// <summary>RFC 4648 base32, upper case, no padding.</summary>
    Base32Upper = 'B',

    /// <summary>Base36, lower case.</summary>
    Base36 = 'k',

    /// <summary>Base36, upper case.</summary>
    Base36Upper = 'K',

    /// <summary>RFC 4648 base64, no padding.</summary>
    Base64 = 'm',

    /// <summary>RFC 4648 base64, padded.</summary>
    Base64Pad = 'M',

    /// <summary>RFC 4648 base64url, no padding.</summary>
    Base64Url = 'u',

    /// <summary>RFC 4648 base64url, padded.</summary>
    Base64UrlPad = 'U',

    /// <summary>Hexadecimal, lower case.</summary>
    Base16 = 'f',

    /// <summary>Hexadecimal, upper case.</summary>
    Base16Upper = 'F',
}
