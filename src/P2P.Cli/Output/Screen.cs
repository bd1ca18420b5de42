using System.Text;

namespace P2P.Cli.Output;

/// <summary>What a person sees on standard error: messages that scroll, and below them a few lines that are redrawn in place.</summary>
/// <remarks>Without a terminal nothing is redrawn: callers print a line now and then instead. To the journal of systemd each line says how urgent it is.</remarks>
internal sealed class Screen(Stream error, bool isTerminal, bool colours, bool quiet, Func<int> width, bool isJournal = false)
{
    private readonly Lock _gate = new(); // guards _live, _failed and the order of writes
    private string[] _live = [];
    private bool _failed;

    public bool IsTerminal => isTerminal;

    /// <summary>Whether colours may be used.</summary>
    public bool HasColours => colours;

    /// <summary>Columns to fill, at most 100: a bar across a wide screen says no more.</summary>
    public int Width => Math.Clamp(width(), 40, 100);

    /// <summary>A message, above the live lines. Left out when quiet.</summary>
    public void Line(string text = "")
    {
        if (!quiet)
            Write(Fold(text), Priority.Information);
    }

    /// <summary>A message that is shown even when quiet: errors and warnings.</summary>
    public void Important(string text, Priority priority = Priority.Warning) => Write(Fold(text), priority);

    /// <summary>The error that ends the process: wrapped on a terminal, one line elsewhere.</summary>
    public void Error(string text)
    {
        const string Indent = "     "; // below the text behind "p2p: "
        if (isTerminal)
            text = string.Join('\n' + Indent, Wrap(text, Width - Indent.Length - 1));
        Write(colours ? $"\e[31mp2p:\e[0m {text}" : $"p2p: {text}", Priority.Error);
    }

    /// <summary>Breaks a text at its spaces.</summary>
    public static IEnumerable<string> Wrap(string text, int columns)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > columns)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0)
                line.Append(' ');
            line.Append(word);
        }

        yield return line.ToString();
    }

    /// <summary>What does not fit a terminal is broken at its spaces, below the text behind the label; a program that reads gets it in one line.</summary>
    private string Fold(string text)
    {
        if (!isTerminal || text.Contains('\e') || SafeText.Columns(text) < width())
            return text;
        int label = text.IndexOf("  ", StringComparison.Ordinal);
        int indent = label is >= 0 and < 24 ? label : 0;
        while (indent > 0 && indent < text.Length && text[indent] == ' ')
            indent++;
        if (indent > Width / 2)
            indent = 0;
        return text[..indent] + string.Join('\n' + new string(' ', indent), Wrap(text[indent..], Width - indent - 1));
    }

    /// <summary>Replaces the live lines. Does nothing without a terminal.</summary>
    public void Live(params string[] lines)
    {
        if (quiet || !isTerminal)
            return;
        lock (_gate)
        {
            var text = new StringBuilder();
            Erase(text);
            int columns = Math.Max(20, width() - 1);
            _live = [.. lines.Select(line => SafeText.Take(line, columns))];
            text.AppendJoin('\n', _live);
            Send(text.ToString());
        }
    }

    /// <summary>Leaves nothing below the messages.</summary>
    public void EndLive()
    {
        lock (_gate)
        {
            var text = new StringBuilder();
            Erase(text);
            _live = [];
            if (text.Length > 0)
                Send(text.ToString());
        }
    }

    private void Write(string text, Priority priority)
    {
        if (isJournal)
            text = string.Join('\n', text.Split('\n').Select(line => $"<{(int)priority}>{line}"));
        lock (_gate)
        {
            var all = new StringBuilder();
            Erase(all);
            all.Append(text).Append('\n').AppendJoin('\n', _live);
            Send(all.ToString());
        }
    }

    private void Erase(StringBuilder text)
    {
        if (_live.Length == 0)
            return;
        text.Append('\r');
        if (_live.Length > 1)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\e[{_live.Length - 1}A");
        text.Append("\e[J");
    }

    private void Send(string text)
    {
        if (_failed)
            return;
        try
        {
            error.Write(Encoding.UTF8.GetBytes(text));
            error.Flush();
        }
        catch (IOException)
        {
            _failed = true; // nobody reads the messages; the work goes on
        }
    }
}
