using System.Text;
using P2P.Cli.Output;

namespace P2P.Cli.Tests.Output;

[TestClass]
public sealed class OutputTests
{
    [TestMethod]
    public void The_bar_is_the_documented_one()
    {
        Assert.AreEqual(" 38% ━━━━━━━━─────────────── 1.79 of 4.70 GB  118 MB/s  25 s left  1 peer",
            ProgressBar.Render(1_790_000_000, 4_700_000_000, 118e6, TimeSpan.FromSeconds(24.6), 1));
        Assert.AreEqual("100% ━━━━━━━━━━━━━━━━━━━━━━━ 0 of 0 bytes", ProgressBar.Render(0, 0, null, null, null));
        Assert.AreEqual("      1.00 MB  0 B/s  2 peers", ProgressBar.Render(1_000_000, null, 0, null, 2));
        Assert.AreEqual("99%  10.0 of 10.0 kB", ProgressBar.RenderPlain(9_999, 10_000, null, null, null), "100 % means all of it");
    }

    [TestMethod]
    public void The_longest_bar_fits_80_columns() =>
        Assert.IsLessThan(80, SafeText.Columns(ProgressBar.Render(999_000_000_000, 999_900_000_000, 999e6, TimeSpan.FromMinutes(59.9), 99)));

    [TestMethod]
    [DataRow("film.mkv", "film.mkv")]
    [DataRow("Übung 日本 🎬", "Übung 日本 🎬")]
    [DataRow("\u001b[31mred", "\\u{1b}[31mred")]
    [DataRow("a\nb\tc\u0000d", "a\\u{a}b\\u{9}c\\u{0}d")]
    [DataRow("a\u202Egpj.exe", "a\\u{202e}gpj.exe")]
    [DataRow("\u2066x\u2069", "\\u{2066}x\\u{2069}")]
    [DataRow("\u0085\u009b", "\\u{85}\\u{9b}")]
    public void Text_of_others_cannot_steer_the_terminal(string text, string shown) => Assert.AreEqual(shown, SafeText.Clean(text));

    [TestMethod]
    public void Half_a_character_is_spelled_out() => Assert.AreEqual("x\\u{d834}y", SafeText.Clean("x" + (char)0xd834 + "y"));

    [TestMethod]
    [DataRow("abc", 3)]
    [DataRow("日本", 4)]
    [DataRow("e\u0301", 1)]
    [DataRow("🎬", 2)]
    public void Columns_are_those_of_a_terminal(string text, int columns) => Assert.AreEqual(columns, SafeText.Columns(text));

    [TestMethod]
    public void A_long_text_keeps_both_ends()
    {
        Assert.AreEqual("abc…xyz", SafeText.Fit("abcdefghijklmnopqrstuvwxyz", 7));
        Assert.IsLessThanOrEqualTo(7, SafeText.Columns(SafeText.Fit("日本日本日本日本", 7)));
        Assert.AreEqual("short", SafeText.Fit("short", 7));
    }

    [TestMethod]
    public void A_message_goes_above_the_live_lines()
    {
        using var screen = new ScreenReader();
        screen.Screen.Live("one", "two");
        screen.Screen.Line("message");
        screen.Screen.Live("three");
        screen.Screen.EndLive();
        screen.Screen.Error("sentence");
        CollectionAssert.AreEqual(new[] { "message", "p2p: sentence", "" }, screen.Shown());
    }

    [TestMethod]
    public void A_message_that_does_not_fit_is_broken_at_its_spaces_below_its_text()
    {
        const string Text = "Readable:   by whoever has the link or learns its content id (--private: link only)";
        using var screen = new ScreenReader();
        screen.Screen.Line(Text);
        CollectionAssert.AreEqual(new[] { "Readable:   by whoever has the link or learns its content id (--private: link", "            only)", "" }, screen.Shown());
        using var pipe = new ScreenReader(isTerminal: false);
        pipe.Screen.Line(Text);
        Assert.AreEqual(Text + "\n", pipe.Raw);
    }

    [TestMethod]
    public void Without_a_terminal_nothing_is_redrawn_and_nothing_coloured()
    {
        using var screen = new ScreenReader(isTerminal: false);
        screen.Screen.Live("bar");
        screen.Screen.Line("message");
        screen.Screen.EndLive();
        screen.Screen.Error("sentence");
        Assert.AreEqual("message\np2p: sentence\n", screen.Raw);
    }

    [TestMethod]
    public void Quiet_leaves_errors()
    {
        using var screen = new ScreenReader(isQuiet: true);
        screen.Screen.Live("bar");
        screen.Screen.Line("message");
        screen.Screen.Error("sentence");
        Assert.AreEqual("p2p: sentence\n", screen.Raw);
    }

    [TestMethod]
    public void A_rate_is_that_of_the_last_seconds()
    {
        var time = new ManualTime();
        var meter = new RateMeter(time);
        Assert.AreEqual(0, meter.Add(0));
        for (int second = 1; second <= 10; second++)
        {
            time.Now += TimeSpan.TicksPerSecond;
            Assert.AreEqual(1_000, meter.Add(second * 1_000L), 0.01);
        }

        time.Now += 5 * TimeSpan.TicksPerSecond;
        Assert.IsLessThan(10.0, meter.Add(10_000));
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }

    // Plays what was written like a terminal: carriage return, line up, erase below.
    private sealed class ScreenReader : IDisposable
    {
        private readonly MemoryStream _written = new();

        public ScreenReader(bool isTerminal = true, bool isQuiet = false) => Screen = new Screen(_written, isTerminal, colours: false, isQuiet, () => 80);

        public Screen Screen { get; }

        public string Raw => Encoding.UTF8.GetString(_written.ToArray());

        public void Dispose() => _written.Dispose();

        public string[] Shown()
        {
            var lines = new List<StringBuilder> { new() };
            int row = 0, column = 0;
            string raw = Raw;
            for (int i = 0; i < raw.Length; i++)
            {
                if (raw[i] == '\r')
                {
                    column = 0;
                }
                else if (raw[i] == '\n')
                {
                    (row, column) = (row + 1, 0);
                    if (row == lines.Count)
                        lines.Add(new StringBuilder());
                }
                else if (raw[i] == '\e')
                {
                    int end = raw.AsSpan(i).IndexOfAnyInRange('A', 'Z') + i;
                    if (raw[end] == 'A')
                        row -= int.Parse(raw.AsSpan(i + 2, end - i - 2), System.Globalization.CultureInfo.InvariantCulture);
                    else if (raw[end] == 'J')
                        (lines[row].Length, _) = (column, lines.RemoveAll(line => lines.IndexOf(line) > row));
                    i = end;
                }
                else
                {
                    lines[row].Length = Math.Max(lines[row].Length, column);
                    lines[row].Remove(column, Math.Min(1, lines[row].Length - column)).Insert(column++, raw[i]);
                }
            }

            return [.. lines.Select(line => line.ToString())];
        }
    }
}
