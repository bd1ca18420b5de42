using Google.Protobuf;
using P2P.Core.Catalogue;

namespace P2P.Core.Tests.Catalogue;

/// <summary>Goal: a list is read as it was written, and one that is too long or unsound not at all.</summary>
[TestClass]
public sealed class CatalogueProtocolTests
{
    private static readonly DateTimeOffset Since = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [TestMethod]
    public void A_list_is_read_as_it_was_written()
    {
        var list = new CatalogueList("alice", [new CatalogueItem("film.mkv", Cid.OfRaw("a"u8), 5, false, Since), new CatalogueItem("Fotos 2026 – ü", Cid.OfDagPb("b"u8), long.MaxValue, true, Since)]);
        Assert.IsTrue(CatalogueProtocol.TryDecode(CatalogueProtocol.Encode(list), out CatalogueList? read));
        Assert.AreEqual(list.NodeName, read.NodeName);
        CollectionAssert.AreEqual(list.Items.ToArray(), read.Items.ToArray());
    }

    [TestMethod]
    public void A_full_list_finds_room_in_a_message()
    {
        var full = new CatalogueList(new string('n', 63), [.. Enumerable.Range(0, CatalogueProtocol.MaxItems + 5).Select(i => new CatalogueItem(new string('x', CatalogueProtocol.MaxNameBytes), Cid.OfRaw(BitConverter.GetBytes(i)), long.MaxValue, true, Since))]);
        byte[] bytes = CatalogueProtocol.Encode(full);
        Assert.IsLessThan(CatalogueProtocol.MaxMessageBytes, bytes.Length);
        Assert.IsTrue(CatalogueProtocol.TryDecode(bytes, out CatalogueList? read));
        Assert.HasCount(CatalogueProtocol.MaxItems, read.Items);
    }

    [TestMethod]
    [DataRow("no name")]
    [DataRow("a long name")]
    [DataRow("no content id")]
    [DataRow("bytes after the content id")]
    [DataRow("another kind")]
    [DataRow("too large")]
    [DataRow("before its time")]
    [DataRow("after all time")]
    [DataRow("too many")]
    [DataRow("a long name of the node")]
    public void What_is_unsound_is_not_read(string what)
    {
        var message = new CatalogueMessage { NodeName = "n" };
        var item = new CatalogueMessage.Types.Item { Name = "x", Cid = ByteString.CopyFrom(Cid.OfRaw("a"u8).ToArray()), Size = 1, Created = 1 };
        message.Items.Add(item);
        Assert.IsTrue(CatalogueProtocol.TryDecode(message.ToByteArray(), out _));
        switch (what)
        {
            case "no name": item.Name = ""; break;
            case "a long name": item.Name = new string('ü', 128); break;
            case "no content id": item.Cid = ByteString.Empty; break;
            case "bytes after the content id": item.Cid = ByteString.CopyFrom([.. Cid.OfRaw("a"u8).ToArray(), 0]); break;
            case "another kind": item.Kind = 2; break;
            case "too large": item.Size = 1UL << 63; break;
            case "before its time": item.Created = -1; break;
            case "after all time": item.Created = long.MaxValue; break;
            case "too many": message.Items.AddRange(Enumerable.Repeat(item, CatalogueProtocol.MaxItems)); break;
            default: message.NodeName = new string('n', 256); break;
        }

        Assert.IsFalse(CatalogueProtocol.TryDecode(message.ToByteArray(), out _));
    }
}
