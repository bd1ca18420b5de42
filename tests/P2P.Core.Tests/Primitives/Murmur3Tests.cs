using System.Globalization;
using System.Text;
using System.Text.Json;
using P2P.Core.Primitives;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class Murmur3Tests
{
    [TestMethod]
    [DataRow("", "0000000000000000")]
    [DataRow("470.txt", "006e88df5847e67c")]
    [DataRow("742.txt", "00ff87d129ae5428")]
    [DataRow("1.txt", "07c182825cb447e1")]
    public void Known_names_have_their_known_hash(string text, string hex) =>
        Assert.AreEqual(ulong.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture), Murmur3.Hash64(Encoding.UTF8.GetBytes(text)));

    [TestMethod]
    [Vectors]
    public void The_computed_vectors_agree()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("unixfs", "murmur3-x64-64.json")));
        int count = 0;
        foreach (JsonElement vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            string text = vector.GetProperty("utf8").GetString()!;
            string hex = vector.GetProperty("h1BigEndianHex").GetString()!;
            Assert.AreEqual(hex, Murmur3.Hash64(Encoding.UTF8.GetBytes(text)).ToString("x16", CultureInfo.InvariantCulture), text);
            count++;
        }

        Assert.IsGreaterThan(3, count);
    }
}
