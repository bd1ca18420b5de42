using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Diagnostics;

namespace P2P.Core.Tests.Diagnostics;

[TestClass]
public sealed class UntrustedTextTests
{
    [TestMethod]
    [DataRow("kubo/0.30", "kubo/0.30")]
    [DataRow("Zoë's 日本 📁", "Zoë's 日本 📁")]
    [DataRow("a\u001b[31mred", "a\\u{1b}[31mred")]
    [DataRow("a\r\nforged line", "a\\u{d}\\u{a}forged line")]
    [DataRow("a\tb\u0000", "a\\u{9}b\\u{0}")]
    [DataRow("del\u007f c1\u009b31m", "del\\u{7f} c1\\u{9b}31m")]
    [DataRow("exe.\u202egpj", "exe.\\u{202e}gpj")]
    [DataRow("\u2066x\u2069\u200f\u061c", "\\u{2066}x\\u{2069}\\u{200f}\\u{61c}")]
    [DataRow("a\u2028b", "a\\u{2028}b")]
    [DataRow("", "")]
    [DataRow(null, "")]
    public void What_a_terminal_would_obey_is_shown_instead(string? text, string expected) => Assert.AreEqual(expected, UntrustedText.Clean(text));

    [TestMethod]
    public void No_control_character_survives_and_clean_text_is_left_alone()
    {
        Prop.ForAll<string>(text =>
        {
            string cleaned = UntrustedText.Clean(text);
            return !cleaned.Any(char.IsControl) && UntrustedText.Clean(cleaned) == cleaned;
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    public void Half_a_character_is_shown_by_its_number() => Assert.AreEqual("cut \\u{d83d}", UntrustedText.Clean("cut " + '\ud83d'));

    [TestMethod]
    public void Long_text_is_cut()
    {
        Assert.AreEqual("aaaa...", UntrustedText.Clean(new string('a', 1000), 4));
        Assert.AreEqual(UntrustedText.MaxChars + 3, UntrustedText.Clean(new string('a', 1 << 20)).Length);
        Assert.AreEqual("ab\\u{d83d}...", UntrustedText.Clean("ab📁", 3));
    }
}
