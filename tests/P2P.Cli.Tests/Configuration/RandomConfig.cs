using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using P2P.Cli.Configuration;

namespace P2P.Cli.Tests.Configuration;

/// <summary>A configuration file that is put together by chance: comments, spaces and line ends wherever they may stand, keys twice, rooms twice.</summary>
internal sealed partial class RandomConfig
{
    private readonly Random _random;
    private readonly string _newLine;
    private readonly StringBuilder _text = new();
    private int _comments;

    public RandomConfig(Random random)
    {
        _random = random;
        _newLine = random.Next(3) == 0 ? "\r\n" : "\n";
        if (random.Next(20) == 0)
            return; // empty
        Blank();
        Object([.. Keys.Where(key => !key.Key.Contains('.', StringComparison.Ordinal)).Select(key => key.Key), "limits.max_connections", "limits", "dht", "limits"]);
        Blank();
    }

    /// <summary>Keys whose values are numbers or texts of digits.</summary>
    public static SettingKey[] Keys { get; } = [.. new[] { "node_name", "network", "log", "limits.max_connections", "limits.max_connections_per_address", "dht.mode" }.Select(key => SettingKey.Find(key)!)];

    public string Text => _text.ToString();

    public static string[] Comments(byte[] text) => [.. Comment().Matches(Encoding.UTF8.GetString(text)).Select(match => match.Value).Order(StringComparer.Ordinal)];

    private void Object(string[] names)
    {
        _text.Append('{');
        Blank();
        int count = _random.Next(5);
        for (int i = 0; i < count; i++)
        {
            Member(names[_random.Next(names.Length)]);
            if (i < count - 1 || _random.Next(3) == 0)
                _text.Append(',');
            Blank();
        }

        _text.Append('}');
    }

    private void Member(string name)
    {
        _text.Append('"').Append(name).Append('"').Append(_random.Next(4) == 0 ? " : " : ": ");
        if (name == "limits")
            Object(["max_connections", "max_connections_per_address"]);
        else if (name == "dht")
            Object(["mode"]);
        else
            _text.Append(CultureInfo.InvariantCulture, $"{(_random.Next(2) == 0 ? "\"7 } , //\"" : "12")}");
        if (_random.Next(4) == 0)
            Blank();
    }

    private void Blank()
    {
        for (int i = _random.Next(4); i > 0; i--)
        {
            _text.Append(_random.Next(6) switch
            {
                0 => _newLine,
                1 => _newLine + "  ",
                2 => "\t",
                3 => " ",
                4 => $"// c{_comments++}. , }} \" {_newLine}",
                _ => $"/* c{_comments++}. , {{ {(_random.Next(2) == 0 ? _newLine : "\"")} */",
            });
        }
    }

    [GeneratedRegex(@"c\d+\.", RegexOptions.None, 1000)]
    private static partial Regex Comment();
}
