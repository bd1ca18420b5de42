using System.Text;
using System.Text.Json;

namespace P2P.Cli.Configuration;

/// <summary>Reads a configuration file: JSON with comments, faults named with their line.</summary>
internal static class ConfigFile
{
    private const int BytesMax = 1 << 20;

    /// <summary>One value and where it stands.</summary>
    internal readonly record struct Entry(SettingKey Key, IReadOnlyList<string> Values, int Line);

    /// <summary>The dialect: JSON with comments and trailing commas.</summary>
    public static JsonReaderOptions Dialect { get; } = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 4 };

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsageException">It cannot be read, is not JSON, or has an unknown key.</exception>
    public static IReadOnlyList<Entry> Read(string path) => Parse(ReadBytes(path), path);

    /// <summary>Reads the bytes of a file.</summary>
    /// <exception cref="UsageException">It cannot be read, or is too large for what it should be.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            if (new FileInfo(path).Length > BytesMax)
                throw new UsageException($"{path} is too large for a configuration file.");
            return File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The configuration file {path} cannot be read: {failure.Message}");
        }
    }

    /// <summary>Reads the text of a file.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">The file's name, for the errors.</param>
    /// <param name="except">A key that is passed over, whatever stands there: it is about to be replaced or removed.</param>
    /// <exception cref="UsageException">It is not JSON, or has an unknown key.</exception>
    public static IReadOnlyList<Entry> Parse(ReadOnlySpan<byte> json, string name, string? except = null)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        var entries = new List<Entry>();
        var reader = new Utf8JsonReader(json, Dialect);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new UsageException($"{name}, line 1: a configuration file is one JSON object: {{ ... }}");
            ReadObject(ref reader, json, name, "", except, entries);
            reader.Read();
        }
        catch (JsonException fault)
        {
            throw new UsageException($"{name}, line {fault.LineNumber.GetValueOrDefault() + 1}: not JSON: {Sentence(fault.Message)}");
        }
        catch (InvalidOperationException) // of GetString
        {
            throw new UsageException($"{name}, line {LineOf(json, reader.TokenStartIndex)}: a text that is not Unicode. Save the file as UTF-8.");
        }

        return entries;
    }

    private static void ReadObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string name, string room, string? except, List<Entry> entries)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int line = LineOf(json, reader.TokenStartIndex);
            string key = room + reader.GetString();
            reader.Read();
            if (key == except)
            {
                reader.Skip();
                continue;
            }

            if (reader.TokenType == JsonTokenType.StartObject && room.Length == 0 && SettingKey.IsRoom(key))
            {
                ReadObject(ref reader, json, name, key + ".", except, entries);
                continue;
            }

            SettingKey setting = SettingKey.Find(key) ?? throw new UsageException($"{name}, line {line}: {SettingKey.Unknown(key)}");
            entries.Add(new Entry(setting, ReadValues(ref reader, setting, name, line), line));
        }
    }

    private static List<string> ReadValues(ref Utf8JsonReader reader, SettingKey setting, string name, int line)
    {
        var values = new List<string>();
        if (reader.TokenType == JsonTokenType.StartArray && setting.IsList)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                values.Add(ReadScalar(ref reader, setting, name, line));
        }
        else
        {
            values.Add(ReadScalar(ref reader, setting, name, line));
        }

        return values;
    }

    private static string ReadScalar(ref Utf8JsonReader reader, SettingKey setting, string name, int line) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString() ?? "",
        JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => throw new UsageException($"{name}, line {line}: {setting.Key} takes {(setting.IsList ? "a text or a list of texts" : "one value")}."),
    };

    private static int LineOf(ReadOnlySpan<byte> json, long offset) => json[..(int)offset].Count((byte)'\n') + 1;

    // The reader's own message ends in the position, which we say in our own way.
    private static string Sentence(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? message : message[..position];
    }
}
