using System.Text;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class PercentEncodingTests
{
    [TestMethod]
    [DataRow("film.mkv", "film.mkv")]
    [DataRow("a b", "a%20b")]
    [DataRow("100%", "100%25")]
    [DataRow("~tilde-_.", "~tilde-_.")]
    [DataRow("é", "%C3%A9")]
    [DataRow("", "")]
    public void Known_texts_have_their_known_form(string text, string encoded)
    {
        Assert.AreEqual(encoded, PercentEncoding.Encode(Encoding.UTF8.GetBytes(text)));
        Assert.IsTrue(PercentEncoding.TryDecode(encoded, out byte[] bytes));
        Assert.AreEqual(text, Encoding.UTF8.GetString(bytes));
    }

    [TestMethod]
    public void Every_byte_string_round_trips() =>
        Prop.ForAll<byte[]>(bytes => PercentEncoding.TryDecode(PercentEncoding.Encode(bytes), out byte[] decoded) && decoded.AsSpan().SequenceEqual(bytes))
            .QuickCheckThrowOnFailure();

    [TestMethod]
    [DataRow("%")]
    [DataRow("a%2")]
    [DataRow("%zz")]
    [DataRow("%%41")]
    [DataRow("% 41")]
    public void Cut_escapes_are_refused(string text) => Assert.IsFalse(PercentEncoding.TryDecode(text, out _));

    [TestMethod]
    public void Text_that_is_not_Unicode_is_refused() => Assert.IsFalse(PercentEncoding.TryDecode(['a', '\ud800'], out _));
}
