using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static P2P.Cli.Configuration.ConfigOutline;

namespace P2P.Cli.Configuration;

/// <summary>
/// Changes one key in the text of a configuration file and leaves every other byte as it is: comments, order, indentation, line ends. Pure; the text is one
/// that <see cref="ConfigFile"/> reads without fault but for that key, or blank.
/// </summary>
/// <remarks>Comments inside a list that is replaced go with it; so does nothing else.</remarks>
internal static class ConfigText
{
    private const string Unit = "  ";

    /// <summary>The text with the key set: replaced where it counts, or added behind the last key of its room.</summary>
    /// <param name="json">The text; blank counts as an object without keys.</param>
    /// <param name="key">The whole key.</param>
    /// <param name="value">JSON of <see cref="ToJson"/>.</param>
    public static byte[] Set(ReadOnlySpan<byte> json, string key, string value)
    {
        if (ConfigBlanks.IsBlank(json))
            return Set("{}\n"u8, key, value);
        Block root = Read(json);
        if (FindLast(root, key) is ({ } block, int index))
            return Splice(json, block.Members[index].ValueStart, block.Members[index].End, value);

        var style = new Style(json, root);
        int dot = key.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
            return Insert(json, root, root, style, (_, _) => $"\"{key}\": {value}");
        string room = key[..dot], name = $"\"{key[(dot + 1)..]}\": {value}";
        if (root.Members.LastOrDefault(member => member.Key == room && member.Inside is not null) is { Inside: { } inside })
            return Insert(json, root, inside, style, (_, _) => name);
        return Insert(json, root, root, style, (indent, isInLines) => isInLines
            ? $"\"{room}\": {{{style.NewLine}{indent}{style.Indent}{name}{style.NewLine}{indent}}}"
            : $"\"{room}\": {{ {name} }}");
    }

    /// <summary>The text without the key, wherever it stands, and without a room that it leaves empty. Comments stay.</summary>
    public static byte[] Unset(ReadOnlySpan<byte> json, string key)
    {
        byte[] text = json.ToArray();
        while (!ConfigBlanks.IsBlank(text))
        {
            Block root = Read(text);
            if (FindLast(root, key) is not ({ } block, int index))
                break;
            Member? room = root.Members.FirstOrDefault(member => member.Inside == block);
            text = room is not null && IsAll(text, block) ? Remove(text, root, root.Members.ToList().IndexOf(room)) : Remove(text, block, index);
        }

        return text;
    }

    /// <summary>The value of a key as the file writes it.</summary>
    public static string ToJson(SettingKey key, IReadOnlyList<string> values) => key.Form switch
    {
        SettingForm.List => $"[{string.Join(", ", values.Select(Quote))}]",
        SettingForm.Flag => values[0] is "true" or "1" ? "true" : "false",
        SettingForm.Count => values[0].TrimStart('0') is { Length: > 0 } digits ? digits : "0",
        _ => Quote(values[0]),
    };

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private static byte[] Insert(ReadOnlySpan<byte> json, Block root, Block block, Style style, Func<string, bool, string> member) =>
        block.Members.Count == 0 ? InsertFirst(json, root, block, style, member) : InsertLast(json, block, style, member);

    private static byte[] InsertFirst(ReadOnlySpan<byte> json, Block root, Block block, Style style, Func<string, bool, string> member)
    {
        int end = ConfigBlanks.TrimBefore(json, block.Close); // behind the brace or the last comment
        if (block != root && !json[block.Open..block.Close].Contains((byte)'\n'))
            return Splice(json, end, block.Close, $" {member("", false)} ");
        string outer = IndentOf(json, block.Close), indent = outer + style.Indent;
        string text = style.NewLine + indent + member(indent, true);
        return json[end..block.Close].Contains((byte)'\n') ? Splice(json, end, end, text) : Splice(json, end, block.Close, text + style.NewLine + outer);
    }

    private static byte[] InsertLast(ReadOnlySpan<byte> json, Block block, Style style, Func<string, bool, string> member)
    {
        Member last = block.Members[^1];
        int next = ConfigBlanks.SkipComments(json, last.End);
        bool hasComma = json[next] == ',';
        int end = hasComma ? next + 1 : last.End;
        string comma = hasComma ? "," : ""; // who ends the last line with a comma finds it on the new one
        int place = ConfigBlanks.EndOfCommentsOnLine(json, end);
        string text;
        if (json[end..block.Close].Contains((byte)'\n'))
        {
            string indent = IndentOf(json, last.Start) + (ConfigBlanks.StartOfLine(json, last.Start) <= block.Open ? style.Indent : "");
            text = style.NewLine + indent + member(indent, true) + comma;
        }
        else
        {
            text = " " + member("", false) + comma;
        }

        byte[] with = Splice(json, place, place, text);
        return hasComma ? with : Splice(with, last.End, last.End, ",");
    }

    private static byte[] Remove(ReadOnlySpan<byte> json, Block block, int index)
    {
        Member member = block.Members[index];
        (int start, int end) = (member.Start, member.End);
        int next = ConfigBlanks.SkipComments(json, end);
        int comma = -1; // one that stands elsewhere
        bool isLast = json[next] != ',';
        if (!isLast && ConfigBlanks.SkipSpace(json, end) == next)
            end = next + 1;
        else if (!isLast)
            comma = next;
        else if (index > 0)
            comma = ConfigBlanks.SkipComments(json, block.Members[index - 1].End);

        (int from, int to) = WithSpace(json, start, end, isLast && index > 0);
        if (comma < 0)
            return Splice(json, from, to, "");
        return comma > start ? Splice(Splice(json, comma, comma + 1, ""), from, to, "") : Splice(Splice(json, from, to, ""), comma, comma + 1, "");
    }

    /// <summary>What goes with something that is removed: its whole line when it was alone there, otherwise the space on one side.</summary>
    private static (int From, int To) WithSpace(ReadOnlySpan<byte> json, int start, int end, bool fromBefore)
    {
        int before = start, after = end;
        while (before > 0 && json[before - 1] is (byte)' ' or (byte)'\t')
            before--;
        while (after < json.Length && json[after] is (byte)' ' or (byte)'\t')
            after++;
        bool beginsLine = before == 0 || json[before - 1] == '\n';
        int lineEnd = json[after..].StartsWith("\r\n"u8) ? 2 : json[after..].StartsWith("\n"u8) ? 1 : 0;
        if (lineEnd > 0)
            return beginsLine ? (before, after + lineEnd) : (before, after);
        return beginsLine || !fromBefore ? (start, after) : (before, end);
    }

    /// <summary>Whether the one key of an object is all that stands in it.</summary>
    private static bool IsAll(ReadOnlySpan<byte> json, Block block)
    {
        if (block.Members.Count != 1 || ConfigBlanks.SkipSpace(json, block.Open + 1) != block.Members[0].Start)
            return false;
        int next = ConfigBlanks.SkipSpace(json, block.Members[0].End);
        return ConfigBlanks.SkipSpace(json, json[next] == ',' ? next + 1 : next) == block.Close;
    }

    private static string IndentOf(ReadOnlySpan<byte> json, int at)
    {
        ReadOnlySpan<byte> line = json[ConfigBlanks.StartOfLine(json, at)..];
        int length = line.IndexOfAnyExcept((byte)' ', (byte)'\t');
        return Encoding.UTF8.GetString(line[..(length < 0 ? line.Length : length)]);
    }

    private static byte[] Splice(ReadOnlySpan<byte> json, int start, int end, string text) => [.. json[..start], .. Encoding.UTF8.GetBytes(text), .. json[end..]];

    /// <summary>How the file is written: its line ends and what one level is indented by.</summary>
    private readonly record struct Style(string NewLine, string Indent)
    {
        public Style(ReadOnlySpan<byte> json, Block root)
            : this(json.IndexOf("\r\n"u8) >= 0 ? "\r\n" : "\n", Unit)
        {
            if (root.Members.Count > 0 && IndentOf(json, root.Members[0].Start) is { Length: > 0 } indent)
                Indent = indent;
        }
    }
}
