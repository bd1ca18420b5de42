using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Names that some system takes for one fold to one.</summary>
[TestClass]
public sealed class UnicodeFoldingTests
{
    [TestMethod]
    [DataRow("README", "readme")]
    [DataRow("caf\u00e9", "cafe\u0301")]
    [DataRow("CAF\u00c9", "cafe\u0301")]
    [DataRow("\u1e9b\u0323", "\u1e69")] // long s with dots, marks in either order
    [DataRow("a\u0323\u0302", "a\u0302\u0323")] // classes 220 and 230
    [DataRow("\u1ead", "a\u0302\u0323")]
    [DataRow("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af")] // Hangul syllables and their letters
    [DataRow("\uac00", "\u1100\u1161")]
    [DataRow("Stra\u00dfe", "STRASSE")]
    [DataRow("\u1e9e", "ss")]
    [DataRow("\ufb01", "FI")] // a ligature
    [DataRow("\u0130", "i\u0307")]
    [DataRow("\u03a3", "\u03c2")] // sigma at the end of a word
    [DataRow("\u212b", "\u00e5")] // the sign for angstrom
    [DataRow("\u2126", "\u03c9")] // the sign for ohm
    [DataRow("\U00010400", "\U00010428")] // Deseret
    [DataRow("a\u200db", "ab")] // what HFS+ ignores
    [DataRow("\ufeffa", "a")]
    public void Names_that_a_system_may_take_for_one_have_one_key(string a, string b) => Assert.AreEqual(UnicodeFolding.Fold(a), UnicodeFolding.Fold(b));

    [TestMethod]
    [DataRow("a", "b")]
    [DataRow("e", "\u00e9")]
    [DataRow("a\u0300\u0301", "a\u0301\u0300")] // one class: their order counts
    [DataRow("\u65e5", "\u672c")]
    [DataRow("\U0001F3AC", "\U0001F3AD")]
    [DataRow("\u0131", "i")] // without the dot it is another letter
    public void Others_have_others(string a, string b) => Assert.AreNotEqual(UnicodeFolding.Fold(a), UnicodeFolding.Fold(b));

    [TestMethod]
    public void What_is_folded_stays_as_it_is()
    {
        for (int value = 1; value <= 0x10FFFF; value += value < 0x3000 ? 1 : 37)
        {
            if (!System.Text.Rune.TryCreate(value, out System.Text.Rune rune))
                continue;
            string once = UnicodeFolding.Fold(rune.ToString());
            Assert.AreEqual(once, UnicodeFolding.Fold(once), $"U+{value:X4}");
            Assert.AreEqual(once, UnicodeFolding.Fold(rune.ToString().ToUpperInvariant()), $"U+{value:X4}: its capital is the same name");
        }
    }
}
