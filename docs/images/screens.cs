// Takes pictures of the tool in terminals of two sizes:  dotnet run screens.cs P2P-PROGRAM FOLDER
// Writes FOLDER/terminal-80x24.svg and FOLDER/terminal-200x50.svg. Needs tmux. Runs on the loopback interface only, in a temporary folder.
#:property PublishAot=false
using System.Diagnostics;
using System.Globalization;
using System.Text;

string program = Path.GetFullPath(args[0]);
foreach ((int columns, int rows) in new[] { (80, 24), (200, 50) })
    File.WriteAllText(Path.Combine(args[1], $"terminal-{columns}x{rows}.svg"), Story.Take(program, columns, rows));

/// <summary>What one person sees who shares, and another who fetches, from link to help.</summary>
internal static class Story
{
    public static string Take(string program, int columns, int rows)
    {
        string folder = Directory.CreateTempSubdirectory("p2p-screens-").FullName;
        byte[] film = new byte[1_500_000_000];
        new Random(1).NextBytes(film);
        File.WriteAllBytes(Path.Combine(folder, "film.mkv"), film);
        string[] names = ["notes.txt", "a folder with a long name/and a file in it whose name is longer than the terminal of eighty columns is wide.tar.gz", "übermut/Žluťoučký kůň 日本語.txt"];
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, "trip", name))!);
            File.WriteAllText(Path.Combine(folder, "trip", name), name);
        }

        Directory.CreateDirectory(Path.Combine(folder, "elsewhere"));
        var terminals = new Terminals(folder, columns, rows);
        try
        {
            foreach ((string who, string home) in new[] { ("alice", folder), ("bob", Path.Combine(folder, "elsewhere")) })
                terminals.Open(who, home, $"PS1='{who}$ '; p2p() {{ '{program}' \"$@\"; }}; export HOME={home} P2P_DATA={home}/.data P2P_NO_LAN=true P2P_NAT_MAP_PORTS=false P2P_LISTEN=/ip4/127.0.0.1/tcp/0 DOTNET_NOLOGO=1; clear");
            terminals.Type("alice", "p2p share film.mkv --qr");
            terminals.Await("alice", "Ctrl-C");
            terminals.Picture("alice", "A share: hashed in place, and a link. The code is shown where it fits");
            string link = terminals.Link("alice");
            terminals.Type("bob", $"p2p fetch {link}");
            terminals.Await("bob", "%");
            Thread.Sleep(1000);
            terminals.Picture("bob", "A fetch on its way");
            terminals.Keys("bob", "C-c");
            terminals.Await("bob", "bob$ ", last: true);
            terminals.Picture("bob", "Ctrl-C: what is verified stays");
            terminals.Type("bob", $"clear; p2p fetch {link}");
            terminals.Await("bob", "bob$ ", last: true, atLeast: 2000);
            terminals.Picture("bob", "The same again: it goes on from there");
            terminals.Keys("alice", "C-c");
            terminals.Await("alice", "alice$ ", last: true);
            terminals.Type("alice", "clear; p2p share trip");
            terminals.Await("alice", "Ctrl-C");
            terminals.Type("bob", $"clear; p2p ls {terminals.Link("alice")}; p2p fetch p2p://bafkqaaa/x; p2p fetch {link[..40]}; p2p cat");
            terminals.Await("bob", "bob$ ", last: true, atLeast: 2500);
            terminals.Picture("bob", "Long names, and sentences for what does not work");
            terminals.Type("bob", "clear; p2p status; p2p doctor");
            terminals.Await("bob", "bob$ ", last: true, atLeast: 4000);
            terminals.Picture("bob", "Status and doctor of a node on this machine alone");
            terminals.Type("bob", "clear; p2p --help");
            terminals.Await("bob", "bob$ ", last: true, atLeast: 500);
            terminals.Picture("bob", "The end of the help");
            return terminals.Draw();
        }
        finally
        {
            terminals.Close();
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>Terminals of one size, and the pictures taken of them.</summary>
internal sealed class Terminals(string folder, int columns, int rows)
{
    private const int CellWidth = 8, CellHeight = 17, Pad = 12, Title = 24;

    private readonly List<(string Caption, string Text)> _pictures = [];

    public void Open(string name, string home, string prepare)
    {
        Tmux("new-session", "-d", "-s", name, "-x", $"{columns}", "-y", $"{rows}", "-c", home, "bash", "--norc");
        Type(name, prepare);
        Thread.Sleep(500);
    }

    public void Type(string name, string line)
    {
        Tmux("send-keys", "-t", name, "-l", line);
        Keys(name, "Enter");
    }

    public void Keys(string name, string key)
    {
        Tmux("send-keys", "-t", name, key);
        Thread.Sleep(100);
    }

    /// <summary>Waits for a text; with <paramref name="last"/> for a prompt that nothing is typed at.</summary>
    public void Await(string name, string text, bool last = false, int atLeast = 0)
    {
        Thread.Sleep(atLeast);
        for (int i = 0; i < 600; i++)
        {
            string screen = Screen(name).TrimEnd('\n');
            if (last ? screen.EndsWith(text.TrimEnd(), StringComparison.Ordinal) : screen.Contains(text, StringComparison.Ordinal))
                return;
            Thread.Sleep(100);
        }

        throw new TimeoutException($"'{text}' was not shown by {name}:\n{Screen(name)}");
    }

    public string Link(string name) => Screen(name, joined: true).Split('\n').Last(static line => line.StartsWith("p2p://", StringComparison.Ordinal)).Trim();

    public void Picture(string name, string caption) => _pictures.Add((caption, Screen(name).Replace(folder, "~", StringComparison.Ordinal)));

    public void Close() => Tmux("kill-server");

    public string Draw()
    {
        int width = (columns * CellWidth) + (2 * Pad), height = (rows * CellHeight) + (2 * Pad) + Title, all = (height + Pad) * _pictures.Count;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{all}\" viewBox=\"0 0 {width} {all}\" role=\"img\" aria-label=\"p2p in a terminal of {columns} columns and {rows} rows\">\n");
        svg.Append("<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d8dee9;white-space:pre}.t{fill:#8a93a6;font-size:12px}</style>\n");
        for (int i = 0; i < _pictures.Count; i++)
        {
            int top = i * (height + Pad);
            svg.Append(CultureInfo.InvariantCulture, $"<rect y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#1b1f2a\"/><text class=\"t\" x=\"{Pad}\" y=\"{top + 18}\">{columns}x{rows}: {Escape(_pictures[i].Caption)}</text>\n");
            string[] lines = _pictures[i].Text.Split('\n');
            for (int row = 0; row < Math.Min(rows, lines.Length); row++)
            {
                if (lines[row].Trim().Length > 0)
                    svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Pad}\" y=\"{top + Title + Pad + (row * CellHeight) + 12}\">{Escape(lines[row].TrimEnd())}</text>\n");
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);

    private string Screen(string name, bool joined = false) => Tmux(["capture-pane", "-t", name, "-p", .. joined ? ["-J"] : Array.Empty<string>()]);

    private string Tmux(params string[] arguments)
    {
        var start = new ProcessStartInfo("tmux", ["-u", "-S", Path.Combine(folder, "tmux"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["LANG"] = "C.UTF-8";
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text;
    }
}
