using System.Text.Json;

namespace P2P.Cli.Configuration;

/// <summary>Where the keys of a configuration file stand in its bytes. Only for text that <see cref="ConfigFile"/> has read without fault.</summary>
internal static class ConfigOutline
{
    /// <summary>An object: the places of its braces and what stands between them.</summary>
    internal sealed record Block(int Open, int Close, IReadOnlyList<Member> Members);

    /// <summary>A name and its value.</summary>
    /// <param name="Key">The whole key: <c>limits.max_connections</c>.</param>
    /// <param name="Start">Where the name begins.</param>
    /// <param name="ValueStart">Where the value begins.</param>
    /// <param name="End">Just behind the value.</param>
    /// <param name="Inside">The value when it is an object.</param>
    internal sealed record Member(string Key, int Start, int ValueStart, int End, Block? Inside);

    /// <summary>Reads the outline of a text.</summary>
    public static Block Read(ReadOnlySpan<byte> json)
    {
        int skipped = json.StartsWith("\uFEFF"u8) ? 3 : 0;
        var reader = new Utf8JsonReader(json[skipped..], ConfigFile.Dialect);
        reader.Read();
        return ReadBlock(ref reader, skipped, "");
    }

    /// <summary>The object that a key stands in and its place there; of several the last, which is the one that counts when the file is loaded.</summary>
    public static (Block Block, int Index)? FindLast(Block block, string key)
    {
        for (int i = block.Members.Count - 1; i >= 0; i--)
        {
            Member member = block.Members[i];
            if (member.Key == key)
                return (block, i);
            if (member.Inside is { } inside && FindLast(inside, key) is { } found)
                return found;
        }

        return null;
    }

    private static Block ReadBlock(ref Utf8JsonReader reader, int skipped, string room)
    {
        int open = skipped + (int)reader.TokenStartIndex;
        var members = new List<Member>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = skipped + (int)reader.TokenStartIndex;
            string key = room + reader.GetString();
            reader.Read();
            int valueStart = skipped + (int)reader.TokenStartIndex;
            Block? inside = reader.TokenType == JsonTokenType.StartObject ? ReadBlock(ref reader, skipped, key + ".") : null;
            reader.Skip(); // a list
            members.Add(new Member(key, start, valueStart, skipped + EndOfToken(ref reader), inside));
        }

        return new Block(open, skipped + (int)reader.TokenStartIndex, members);
    }

    private static int EndOfToken(ref Utf8JsonReader reader) => (int)reader.TokenStartIndex + reader.TokenType switch
    {
        JsonTokenType.EndObject or JsonTokenType.EndArray => 1,
        JsonTokenType.String => reader.ValueSpan.Length + 2, // with its quotes
        _ => reader.ValueSpan.Length,
    };
}
