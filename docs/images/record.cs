// Records the tool in a terminal and draws it as an SVG:  dotnet run record.cs P2P-PROGRAM OUT.svg
// Needs tmux. Runs on the loopback interface only, in a temporary folder.
#:property PublishAot=false
using System.Diagnostics;
using System.Globalization;
using System.Text;

const int Columns = 80, Rows = 12, CellWidth = 8, CellHeight = 17, Pad = 12;
string program = Path.GetFullPath(args[0]), output = Path.GetFullPath(args[1]);
string folder = Directory.CreateTempSubdirectory("p2p-record-").FullName;
string socket = Path.Combine(folder, "tmux");
byte[] film = new byte[1_200_000_000];
new Random(1).NextBytes(film);
File.WriteAllBytes(Path.Combine(folder, "film.mkv"), film);
Directory.CreateDirectory(Path.Combine(folder, "elsewhere"));

List<(double Seconds, string Left, string Right)> frames = [];
double now = 0;
try
{
    foreach ((string name, string start) in new[] { ("alice", folder), ("bob", Path.Combine(folder, "elsewhere")) })
    {
        Tmux("new-session", "-d", "-s", name, "-x", $"{Columns}", "-y", $"{Rows}", "-c", start, "bash", "--norc");
        Type(name, $"PS1='{name}$ '; p2p() {{ '{program}' \"$@\"; }}; export HOME={start} P2P_DATA={start}/.data P2P_NO_LAN=true P2P_NAT_MAP_PORTS=false P2P_LISTEN=/ip4/127.0.0.1/tcp/0 DOTNET_NOLOGO=1; clear");
    }

    Thread.Sleep(500);
    Record(4);
    Type("alice", "p2p share film.mkv", slowly: true);
    for (int i = 0; i < 24; i++)
        Record(1);
    string link = Screen("alice", joined: true).Split('\n').First(static line => line.StartsWith("p2p://", StringComparison.Ordinal)).Trim();
    Type("bob", $"p2p fetch {link}");
    for (int i = 0; i < 8; i++)
        Record(1);
    Tmux("send-keys", "-t", "bob", "C-c");
    for (int i = 0; i < 8; i++)
        Record(1);
    Type("bob", "clear");
    Type("bob", $"p2p fetch {link}");
    for (int i = 0; i < 40; i++)
        Record(1);
    Tmux("send-keys", "-t", "alice", "C-c");
    for (int i = 0; i < 10; i++)
        Record(1);
}
finally
{
    Tmux("kill-server");
    Directory.Delete(folder, recursive: true);
}

File.WriteAllText(output, Draw());

void Record(int quarters)
{
    for (int i = 0; i < quarters; i++)
    {
        string left = Screen("alice"), right = Screen("bob");
        if (frames.Count == 0 || frames[^1].Left != left || frames[^1].Right != right)
            frames.Add((now, left, right));
        Thread.Sleep(250);
        now += 0.25;
    }
}

void Type(string session, string text, bool slowly = false)
{
    foreach (string part in slowly ? text.Select(static c => c.ToString()) : [text])
    {
        Tmux("send-keys", "-t", session, "-l", part);
        if (slowly)
            Record(0);
    }

    if (slowly)
        Record(2);
    Tmux("send-keys", "-t", session, "Enter");
    Thread.Sleep(100);
}

string Screen(string session, bool joined = false) =>
    (joined ? Tmux("capture-pane", "-t", session, "-p", "-J") : Tmux("capture-pane", "-t", session, "-p")).Replace(folder, "~", StringComparison.Ordinal);

string Tmux(params string[] arguments)
{
    var start = new ProcessStartInfo("tmux", ["-u", "-S", socket, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
    start.Environment["TERM"] = "xterm-256color";
    start.Environment["LANG"] = "C.UTF-8";
    using Process process = Process.Start(start)!;
    string text = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return text;
}

string Draw()
{
    double end = now + 3;
    int width = (Columns * CellWidth) + (2 * Pad), height = (Rows * CellHeight) + (2 * Pad) + 24;
    var svg = new StringBuilder();
    svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{(2 * height) + Pad}\" viewBox=\"0 0 {width} {(2 * height) + Pad}\" role=\"img\" aria-label=\"p2p share by one, p2p fetch by the other: interrupted, resumed, verified\">\n");
    svg.Append("<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d8dee9;white-space:pre}.t{fill:#8a93a6;font-size:12px}.f{visibility:hidden}@keyframes s{from,to{visibility:visible}}</style>\n");
    Terminal(0, "alice: shares", static frame => frame.Left);
    Terminal(height + Pad, "bob: fetches", static frame => frame.Right);
    return svg.Append("</svg>\n").ToString();

    void Terminal(int top, string title, Func<(double Seconds, string Left, string Right), string> side)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<rect y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#1b1f2a\"/><text class=\"t\" x=\"{Pad}\" y=\"{top + 18}\">{title}</text>\n");
        // equal pictures in a row are one; each is shown from its time on, over the one before, and the last one stays
        for (int i = 0; i < frames.Count;)
        {
            int next = i + 1;
            while (next < frames.Count && side(frames[next]) == side(frames[i]))
                next++;
            double from = frames[i].Seconds, to = next < frames.Count ? frames[next].Seconds : end;
            bool isLast = next >= frames.Count;
            svg.Append(CultureInfo.InvariantCulture, $"<g class=\"f\" style=\"{(isLast ? $"animation:s 1s {from}s forwards" : $"animation:s {to - from}s {from}s")}\">");
            string[] lines = side(frames[i]).Split('\n');
            for (int row = 0; row < Math.Min(Rows, lines.Length); row++)
            {
                if (lines[row].Trim().Length > 0)
                    svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Pad}\" y=\"{top + 24 + Pad + (row * CellHeight) + 12}\">{System.Security.SecurityElement.Escape(lines[row].TrimEnd())}</text>");
            }

            svg.Append("</g>\n");
            i = next;
        }
    }
}
