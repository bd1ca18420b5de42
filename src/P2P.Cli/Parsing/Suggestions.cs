using System.Globalization;
using P2P.Cli.Commands;

namespace P2P.Cli.Parsing;

/// <summary>
/// What shells ask for while a command line is typed: <c>p2p "[suggest:POS]" "LINE"</c> writes a word a line that may stand at that position. Reads nothing
/// and asks nobody.
/// </summary>
internal static class Suggestions
{
    private const string Prefix = "[suggest:";

    /// <summary>Whether it is such a question.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="text">What stands before the position, without the program's name.</param>
    public static bool TryRead(IReadOnlyList<string> args, out string text)
    {
        text = "";
        if (args is not [{ } question, { } line] || !question.StartsWith(Prefix, StringComparison.Ordinal) || question[^1] != ']'
            || !int.TryParse(question[Prefix.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int position))
            return false;
        string before = line[..Math.Min(position, line.Length)].TrimStart();
        int end = before.IndexOf(' ', StringComparison.Ordinal);
        text = end < 0 ? "" : before[(end + 1)..];
        return true;
    }

    /// <summary>The words that may come next. Options only when one is begun: otherwise shells would offer them in place of files.</summary>
    public static IEnumerable<string> Of(CommandTree root, string text)
    {
        string word = text[(text.LastIndexOf(' ') + 1)..];
        bool isOption = word.StartsWith('-');
        return root.Parse(text, Tool.ParserConfiguration).GetCompletions(text.Length)
            .Select(static item => item.InsertText ?? item.Label)
            .Where(found => found.StartsWith('-') == isOption && found.StartsWith(word, StringComparison.Ordinal) && found != "-?")
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
    }
}
