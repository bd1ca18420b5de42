using System.Globalization;
using P2P.Cli.Output;
using P2P.Core;
using ZXing;
using ZXing.Common;

namespace P2P.Cli.Tests.Output;

/// <summary>Goal: what is shown is read by others as the link. Method: a decoder that is not ours.</summary>
[TestClass]
public sealed class QrCodeTests
{
    private const string Peer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

    [TestMethod]
    public void A_decoder_reads_the_link_with_two_addresses()
    {
        ShareLink link = LinkWith(addresses: 5);
        QrCode code = QrCode.Of(link);
        ShareLink read = ShareLink.Parse(Decode(code.Size, code.IsDark)!, CultureInfo.InvariantCulture);
        Assert.AreEqual(link.Root, read.Root);
        Assert.AreEqual(link.Label, read.Label);
        CollectionAssert.AreEqual(link.Peers[0].Addresses.Take(2).ToArray(), read.Peers.Single().Addresses.ToArray());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void What_stands_on_the_terminal_is_the_code(bool colours)
    {
        QrCode code = QrCode.Of(LinkWith(addresses: 1));
        string[] lines = [.. code.Lines(colours).Select(line => line.Replace("\e[30;107m", "", StringComparison.Ordinal).Replace("\e[0m", "", StringComparison.Ordinal))];
        Assert.IsTrue(lines.All(line => line.Length == code.Size));
        Assert.HasCount((code.Size + 1) / 2, lines);
        string? text = Decode(code.Size, (row, column) => (lines[row / 2][column] is '█' || lines[row / 2][column] == (row % 2 == 0 ? '▀' : '▄')) == colours);
        StringAssert.StartsWith(text, "p2p://");
        Assert.IsTrue(code.Fits(code.Size, (code.Size / 2) + 2));
        Assert.IsFalse(code.Fits(code.Size - 1, 200));
        Assert.IsFalse(code.Fits(200, code.Size / 2));
    }

    [TestMethod]
    public void The_drawing_has_a_square_for_each_dark_module()
    {
        QrCode code = QrCode.Of(LinkWith(addresses: 2));
        var drawing = System.Xml.Linq.XDocument.Parse(code.ToSvg());
        string path = drawing.Descendants().Single(static element => element.Name.LocalName == "path").Attribute("d")!.Value;
        HashSet<(int, int)> dark = [.. path.Split('z', StringSplitOptions.RemoveEmptyEntries).Select(static square => square[1..square.IndexOf('h', StringComparison.Ordinal)].Split(' ')).Select(static at => (int.Parse(at[1], CultureInfo.InvariantCulture), int.Parse(at[0], CultureInfo.InvariantCulture)))];
        StringAssert.StartsWith(Decode(code.Size, (row, column) => dark.Contains((row, column))), "p2p://");
    }

    private static ShareLink LinkWith(int addresses)
    {
        string hints = string.Join('&', Enumerable.Range(1, addresses).Select(i => $"peer=/ip4/192.168.1.{i}/tcp/24817/p2p/{Peer}"));
        return ShareLink.Parse($"p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/film%20%C3%BC.mkv?{hints}", CultureInfo.InvariantCulture);
    }

    private static string? Decode(int size, Func<int, int, bool> isDark)
    {
        const int Scale = 4;
        byte[] pixels = new byte[size * size * Scale * Scale];
        for (int y = 0; y < size * Scale; y++)
        {
            for (int x = 0; x < size * Scale; x++)
                pixels[(y * size * Scale) + x] = isDark(y / Scale, x / Scale) ? (byte)0 : (byte)255;
        }

        var image = new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(pixels, size * Scale, size * Scale, RGBLuminanceSource.BitmapFormat.Gray8)));
        return new ZXing.QrCode.QRCodeReader().decode(image, new Dictionary<DecodeHintType, object> { [DecodeHintType.CHARACTER_SET] = "UTF-8" })?.Text;
    }
}
