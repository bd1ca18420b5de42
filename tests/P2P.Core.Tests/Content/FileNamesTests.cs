using System.Runtime.InteropServices;
using System.Text;

namespace P2P.Core.Tests.Content;

/// <summary>One harmless file name out of what somebody claims.</summary>
[TestClass]
public sealed class FileNamesTests
{
    [TestMethod]
    [DataRow("film.mkv", "film.mkv")]
    [DataRow("a b", "a b")]
    [DataRow("-x", "-x")]
    [DataRow("@x", "@x")]
    [DataRow("Übung.txt", "Übung.txt")]
    [DataRow("🎬", "🎬")]
    [DataRow("../../etc/passwd", ".._.._etc_passwd")]
    [DataRow("/etc/passwd", "_etc_passwd")]
    [DataRow("a\0b\nc\u007fd", "a_b_c_d")]
    [DataRow("..", "fallback")]
    [DataRow(".", "fallback")]
    [DataRow("", "fallback")]
    [DataRow(null, "fallback")]
    [DataRow(".hidden", ".hidden")]
    [DataRow(@"a\b:c", @"a\b:c")]
    public void A_name_in_a_link_becomes_one_file_name(string? claimed, string name)
    {
        Assert.AreEqual(name, FileNames.Sanitize(claimed, "fallback", OSPlatform.Linux));
        Assert.AreEqual(name, FileNames.Sanitize(claimed, "fallback", OSPlatform.OSX));
    }

    [TestMethod]
    [DataRow(@"..\..\x", ".._.._x")]
    [DataRow("C:evil", "C_evil")]
    [DataRow("con", "_con")]
    [DataRow("nul.txt", "_nul.txt")]
    [DataRow("COM1.log", "_COM1.log")]
    [DataRow("COM¹", "_COM¹")]
    [DataRow("name. . ", "name")]
    [DataRow("...", "fallback")]
    [DataRow("a<b>|?*\"", "a_b_____")]
    [DataRow("common", "common")]
    public void Windows_has_more_that_a_name_cannot_be(string claimed, string name) => Assert.AreEqual(name, FileNames.Sanitize(claimed, "fallback", OSPlatform.Windows));

    [TestMethod]
    [DataRow("a", 255)]
    [DataRow("ü", 200)]
    [DataRow("𝄞", 100)]
    public void A_long_name_is_cut_between_characters_and_keeps_its_extension(string letter, int count)
    {
        string name = FileNames.Sanitize(string.Concat(Enumerable.Repeat(letter, count)) + ".mkv", "fallback", OSPlatform.Linux);
        Assert.IsInRange(249, 255, Encoding.UTF8.GetByteCount(name));
        StringAssert.EndsWith(name, ".mkv");
        Assert.IsFalse(name.Contains('\ufffd', StringComparison.Ordinal));
        StringAssert.StartsWith(name, string.Concat(Enumerable.Repeat(letter, 50)));
    }

    [TestMethod]
    public void Half_a_character_is_none() => Assert.AreEqual("a_b", FileNames.Sanitize("a" + (char)0xD800 + "b", "fallback"));

    [TestMethod]
    public void A_name_of_255_bytes_stays() => Assert.AreEqual(new string('a', 255), FileNames.Sanitize(new string('a', 255), "fallback"));
}
