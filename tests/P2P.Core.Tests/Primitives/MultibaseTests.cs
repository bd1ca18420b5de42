using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Primitives;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class MultibaseTests
{
    // the name in the registry of each encoding that we have
    private static readonly Dictionary<string, MultibaseEncoding> Names = new(StringComparer.Ordinal)
    {
        ["base58btc"] = MultibaseEncoding.Base58Btc,
        ["base32"] = MultibaseEncoding.Base32,
        ["base32upper"] = MultibaseEncoding.Base32Upper,
        ["base36"] = MultibaseEncoding.Base36,
        ["base36upper"] = MultibaseEncoding.Base36Upper,
        ["base64"] = MultibaseEncoding.Base64,
        ["base64pad"] = MultibaseEncoding.Base64Pad,
        ["base64url"] = MultibaseEncoding.Base64Url,
        ["base64urlpad"] = MultibaseEncoding.Base64UrlPad,
        ["base16"] = MultibaseEncoding.Base16,
        ["base16upper"] = MultibaseEncoding.Base16Upper,
    };

    [TestMethod]
    [Vectors]
    [DataRow("basic.csv", true)]
    [DataRow("leading_zero.csv", true)]
    [DataRow("two_leading_zeros.csv", true)]
    [DataRow("case_insensitivity.csv", false)]
    public void The_published_vectors_decode_and_encode(string file, bool encodes)
    {
        string[] lines = File.ReadAllLines(Vectors.Path("multibase", file));
        byte[] plain = Encoding.Latin1.GetBytes(Regex.Unescape(Quoted(lines[0])));
        int tried = 0;
        foreach (string line in lines.Skip(1))
        {
            string name = line.Split(',')[0].Trim();
            string text = Quoted(line);
            if (!Names.TryGetValue(name, out MultibaseEncoding encoding))
            {
                continue;
            }

            tried++;
            Assert.IsTrue(Multibase.TryDecode(text, out byte[] decoded), $"{name} {text}");
            CollectionAssert.AreEqual(plain, decoded, name);
            if (encodes)
            {
                Assert.AreEqual(text, Multibase.Encode(encoding, plain), name);
            }
        }

        Assert.IsGreaterThanOrEqualTo(encodes ? Names.Count : 6, tried);
    }

    [TestMethod]
    [Vectors]
    public void The_prefixes_are_those_of_the_registry()
    {
        Dictionary<string, string> registry = File.ReadLines(Vectors.Path("multibase", "multibase.csv")).Skip(1)
            .Select(line => line.Split(',')).Where(parts => parts[2].Trim() != "none")
            .ToDictionary(parts => parts[2].Trim(), parts => parts[1].Trim(), StringComparer.Ordinal);
        foreach ((string name, MultibaseEncoding encoding) in Names)
        {
            Assert.AreEqual(registry[name], ((char)encoding).ToString(), name);
        }
    }

    [TestMethod]
    public void Every_byte_string_round_trips_in_every_encoding()
    {
        Prop.ForAll<byte[], byte>((data, zeros) =>
        {
            byte[] bytes = [.. new byte[zeros % 4], .. data];
            return Enum.GetValues<MultibaseEncoding>().All(encoding =>
                Multibase.TryDecode(Multibase.Encode(encoding, bytes), out byte[] decoded) && decoded.AsSpan().SequenceEqual(bytes));
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    [DataRow("", DisplayName = "nothing")]
    [DataRow("x00", DisplayName = "unknown prefix")]
    [DataRow("z0", DisplayName = "0 is not in base58")]
    [DataRow("zl", DisplayName = "l is not in base58")]
    [DataRow("z 1", DisplayName = "space")]
    [DataRow("b1", DisplayName = "1 is not in base32")]
    [DataRow("baaaaaaaa=", DisplayName = "padding in an unpadded encoding")]
    [DataRow("ba", DisplayName = "five bits are no byte")]
    [DataRow("bab", DisplayName = "unused bits set")]
    [DataRow("mAB", DisplayName = "unused bits set in base64")]
    [DataRow("mAA==", DisplayName = "padding in unpadded base64")]
    [DataRow("MAA", DisplayName = "no padding in padded base64")]
    [DataRow("mAAA A", DisplayName = "space in base64")]
    [DataRow("uAA==", DisplayName = "padding in unpadded base64url")]
    [DataRow("u+A", DisplayName = "+ is not in base64url")]
    [DataRow("f0", DisplayName = "half a byte")]
    [DataRow("fgg", DisplayName = "g is not hexadecimal")]
    [DataRow("z\u0131", DisplayName = "not ASCII")]
    [DataRow("f\uFF10\uFF10", DisplayName = "wide digits")]
    public void Malformed_texts_are_refused(string text) => Assert.IsFalse(Multibase.TryDecode(text, out _));

    [TestMethod]
    public void Texts_over_the_limits_are_refused_before_any_work()
    {
        Assert.IsFalse(Multibase.TryDecode("f" + new string('0', Multibase.MaxChars), out _));
        Assert.IsFalse(Multibase.TryDecode("z" + new string('2', Multibase.MaxBigIntegerChars + 1), out _));
        Assert.IsTrue(Multibase.TryDecode("z" + new string('2', Multibase.MaxBigIntegerChars), out _));
    }

    private static string Quoted(string line) => line[(line.IndexOf('"') + 1)..line.LastIndexOf('"')];
}
