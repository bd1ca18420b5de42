using P2P.Cli.Values;

namespace P2P.Cli.Tests.Values;

[TestClass]
public sealed class ValueTests
{
    [TestMethod]
    [DataRow("0", 0L)]
    [DataRow("1500", 1_500L)]
    [DataRow("1500 B", 1_500L)]
    [DataRow("1kB", 1_000L)]
    [DataRow("1.5MB", 1_500_000L)]
    [DataRow(" 10 GiB ", 10L << 30)]
    [DataRow("2TB", 2_000_000_000_000L)]
    [DataRow("1TiB", 1L << 40)]
    [DataRow("3 mib", 3L << 20)]
    [DataRow("0.5KiB", 512L)]
    public void A_size_is_read(string text, long bytes)
    {
        Assert.IsTrue(ByteSize.TryParse(text, out long read));
        Assert.AreEqual(bytes, read);
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("MB")]
    [DataRow("-1")]
    [DataRow("1 XB")]
    [DataRow("1.5")]
    [DataRow("1.2.3 MB")]
    [DataRow("9999999999 TiB")]
    [DataRow("1e3")]
    [DataRow("1,000")]
    public void What_is_no_size_is_refused(string text) => Assert.IsFalse(ByteSize.TryParse(text, out _));

    [TestMethod]
    [DataRow(0L, "0 bytes")]
    [DataRow(1L, "1 byte")]
    [DataRow(999L, "999 bytes")]
    [DataRow(1_000L, "1.00 kB")]
    [DataRow(52_000L, "52.0 kB")]
    [DataRow(999_400L, "999 kB")]
    [DataRow(999_600L, "1.00 MB")]
    [DataRow(4_700_000_000L, "4.70 GB")]
    [DataRow(212_000_000L, "212 MB")]
    [DataRow(1L << 30, "1.07 GB")]
    [DataRow(5_000_000_000_000L, "5.00 TB")]
    [DataRow(long.MaxValue, "9223372 TB")]
    public void A_size_is_shown_with_three_digits(long bytes, string text) => Assert.AreEqual(text, ByteSize.Format(bytes));

    [TestMethod]
    [DataRow(1_790_000_000L, 4_700_000_000L, "1.79 of 4.70 GB")]
    [DataRow(0L, 4_700_000_000L, "0.00 of 4.70 GB")]
    [DataRow(5_000_000L, 670_000_000L, "5 of 670 MB")]
    [DataRow(3L, 10L, "3 of 10 bytes")]
    [DataRow(0L, 0L, "0 of 0 bytes")]
    public void A_part_is_shown_in_the_unit_of_the_whole(long part, long whole, string text) => Assert.AreEqual(text, ByteSize.FormatPart(part, whole));

    [TestMethod]
    [DataRow("10MB", 10_000_000L)]
    [DataRow("10 MB/s", 10_000_000L)]
    public void A_rate_is_a_size_a_second(string text, long rate)
    {
        Assert.IsTrue(ByteRate.TryParse(text, out long read));
        Assert.AreEqual(rate, read);
    }

    [TestMethod]
    [DataRow(0.0, "0 B/s")]
    [DataRow(640_000.0, "640 kB/s")]
    [DataRow(1_840_000.0, "1.8 MB/s")]
    [DataRow(118_300_000.0, "118 MB/s")]
    [DataRow(1_200_000_000.0, "1.2 GB/s")]
    public void A_rate_is_shown_without_digits_that_jump(double rate, string text) => Assert.AreEqual(text, ByteRate.Format(rate));

    [TestMethod]
    [DataRow("30s", 30)]
    [DataRow("5m", 300)]
    [DataRow("2h", 7_200)]
    [DataRow("7d", 604_800)]
    [DataRow("0s", 0)]
    public void A_time_is_read(string text, int seconds)
    {
        Assert.IsTrue(Duration.TryParse(text, out TimeSpan read));
        Assert.AreEqual(TimeSpan.FromSeconds(seconds), read);
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("s")]
    [DataRow("30")]
    [DataRow("-5m")]
    [DataRow("1.5h")]
    [DataRow("5 m")]
    [DataRow("5M")]
    [DataRow("999999999d")]
    public void What_is_no_time_is_refused(string text) => Assert.IsFalse(Duration.TryParse(text, out _));

    [TestMethod]
    [DataRow(0.4, "1 s")]
    [DataRow(25.0, "25 s")]
    [DataRow(120.0, "2 min")]
    [DataRow(200.0, "3 min 20 s")]
    [DataRow(7_500.0, "2 h 5 min")]
    [DataRow(349_200.0, "4 d 1 h")]
    public void A_time_is_shown_in_two_units(double seconds, string text) => Assert.AreEqual(text, Duration.Format(TimeSpan.FromSeconds(seconds)));

    [TestMethod]
    public void A_range_includes_both_ends()
    {
        Assert.IsTrue(ByteRange.TryParse("0-99", out ByteRange range));
        Assert.AreEqual(100, range.CountOf(1_000));
        Assert.AreEqual(50, range.CountOf(50));
        Assert.AreEqual(0, range.CountOf(0));
        Assert.IsTrue(ByteRange.TryParse("5-5", out range));
        Assert.AreEqual(1, range.CountOf(1_000));
        Assert.AreEqual(0, range.CountOf(5));
        Assert.IsTrue(ByteRange.TryParse("100-", out range));
        Assert.AreEqual(900, range.CountOf(1_000));
        Assert.AreEqual(1_000, default(ByteRange).CountOf(1_000));
        Assert.IsTrue(ByteRange.TryParse("-100", out range));
        Assert.AreEqual(new ByteRange(900, null), range.Of(1_000));
        Assert.AreEqual(50, range.Of(50).CountOf(50), "no more than there are");
        Assert.AreEqual(0, range.Of(0).CountOf(0));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("-")]
    [DataRow("-0")]
    [DataRow("5")]
    [DataRow("9-5")]
    [DataRow("a-b")]
    [DataRow("1-2-3")]
    public void What_is_no_range_is_refused(string text) => Assert.IsFalse(ByteRange.TryParse(text, out _));

    [TestMethod]
    [DataRow(0, "0")]
    [DataRow(1_500, "1500")]
    [DataRow(50_000_000_000, "50GB")]
    [DataRow(10L << 30, "10GiB")]
    [DataRow(33_554_433, "33554433")]
    public void An_exact_size_reads_back(long bytes, string text)
    {
        Assert.AreEqual(text, ByteSize.FormatExact(bytes));
        Assert.IsTrue(ByteSize.TryParse(text, out long read));
        Assert.AreEqual(bytes, read);
    }

    [TestMethod]
    [DataRow(90, "90s")]
    [DataRow(7_200, "2h")]
    [DataRow(604_800, "7d")]
    [DataRow(900, "15m")]
    [DataRow(0.5, "00:00:00.5000000")]
    public void An_exact_time_is_written_as_settings_take_it(double seconds, string text) => Assert.AreEqual(text, Duration.FormatExact(TimeSpan.FromSeconds(seconds)));
}
