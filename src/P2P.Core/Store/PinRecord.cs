using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace P2P.Core.Store;

/// <summary>
/// What is pinned, written beside the index each time that changes, so that shares and pins outlive an index that is lost: a line with version and
/// checksum, then JSON. The index stays the authority; the record is read when the index cannot be. Keys of private shares are wrapped in it as they are there.
/// </summary>
/// <param name="Pins">The pins; of work in progress those that can go on.</param>
/// <param name="Resumes">Fetches that can go on.</param>
internal sealed record PinRecord(IReadOnlyList<Pin> Pins, IReadOnlyList<ResumeState> Resumes)
{
    private const string Magic = "p2p-pins 1 ";

    /// <summary>The largest record that is read (bytes): some hundred thousand pins.</summary>
    private const int MaxBytes = 64 << 20;

    /// <summary>
    /// Whether a pin is one that the record keeps. Not work in progress; and not what is held for others, which is much and changes often: when the index is
    /// lost, they find it missing and place it anew.
    /// </summary>
    public static bool Has(Pin pin) => pin.Kind is not (PinKind.Temporary or PinKind.Held);

    /// <summary>Pins and resume states without those that a restart drops anyway.</summary>
    public static PinRecord Of(IEnumerable<Pin> pins, IReadOnlyList<ResumeState> resumes)
    {
        HashSet<PinId> resumed = [.. resumes.Select(resume => resume.Pin)];
        return new PinRecord([.. pins.Where(pin => Has(pin) || resumed.Contains(pin.Id)).OrderBy(pin => pin.Id.Value)], resumes);
    }

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes()
    {
        using MemoryStream body = new();
        using (Utf8JsonWriter json = new(body, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("pins");
            foreach (Pin pin in Pins)
                Write(json, pin);
            json.WriteEndArray();
            json.WriteStartArray("resumes");
            foreach (ResumeState resume in Resumes)
                Write(json, resume);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        byte[] bytes = body.ToArray();
        return [.. Encoding.ASCII.GetBytes(Magic + Convert.ToHexStringLower(SHA256.HashData(bytes)) + "\n"), .. bytes];
    }

    /// <summary>Writes the record in place of the one before; it is on the disk when this returns.</summary>
    public void Write(IDisk disk, string path)
    {
        // A name of its own, not one in tmp: what a crash leaves there is replaced by the next record.
        string temporaryPath = path + ".new";
        try
        {
            disk.Delete(temporaryPath);
            using (IDiskFile file = disk.Create(temporaryPath))
            {
                file.Write(ToBytes(), 0);
                file.Flush();
            }
            disk.Rename(temporaryPath, path);
            disk.FlushFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            TryDelete(disk, temporaryPath);
            throw StoreFailure.FromDisk($"write the record of pins {path}", error);
        }
    }

    /// <summary>Reads a record. Null: there is none, or it is damaged.</summary>
    public static PinRecord? TryRead(IDisk disk, string path) => ReadBytes(disk, path) is { } bytes ? TryParse(bytes) : null;

    /// <summary>The bytes of a record, whatever they hold; null when there is none that can be read.</summary>
    public static byte[]? ReadBytes(IDisk disk, string path)
    {
        try
        {
            if (!disk.TryGetIdentity(path, out FileIdentity identity) || identity.Size > MaxBytes)
                return null;
            byte[] bytes = new byte[identity.Size];
            using IDiskFile file = disk.OpenRead(path);
            return file.Read(bytes, 0) == bytes.Length ? bytes : null;
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            return null;
        }
    }

    /// <summary>Parses a record. Null: its checksum or its form is wrong.</summary>
    public static PinRecord? TryParse(ReadOnlyMemory<byte> bytes)
    {
        int head = Magic.Length + (SHA256.HashSizeInBytes * 2) + 1;
        if (bytes.Length < head || bytes.Span[head - 1] != (byte)'\n' || !bytes.Span.StartsWith(Encoding.ASCII.GetBytes(Magic)))
            return null;
        ReadOnlyMemory<byte> body = bytes[head..];
        string sum = Encoding.ASCII.GetString(bytes.Span[Magic.Length..(head - 1)]);
        if (!string.Equals(sum, Convert.ToHexStringLower(SHA256.HashData(body.Span)), StringComparison.Ordinal))
            return null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            return new PinRecord(
                [.. json.RootElement.GetProperty("pins").EnumerateArray().Select(ReadPin)],
                [.. json.RootElement.GetProperty("resumes").EnumerateArray().Select(ReadResume)]);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static void TryDelete(IDisk disk, string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            // replaced by the next record
        }
    }

    private static void Write(Utf8JsonWriter json, Pin pin)
    {
        json.WriteStartObject();
        json.WriteNumber("id", pin.Id.Value);
        json.WriteNumber("kind", (int)pin.Kind);
        json.WriteString("root", pin.Root.IsEmpty ? "" : pin.Root.ToString());
        json.WriteString("name", pin.Name);
        json.WriteStartArray("paths");
        foreach (string path in pin.Path is { } one ? [one] : pin.Paths)
            json.WriteStringValue(path);
        json.WriteEndArray();
        json.WriteStartArray("allowed");
        foreach (PeerId peer in pin.AllowedPeers)
            json.WriteStringValue(peer.ToString(null, CultureInfo.InvariantCulture));
        json.WriteEndArray();
        json.WriteNumber("bytes", pin.Bytes);
        json.WriteNumber("blocks", pin.Blocks);
        json.WriteBase64String("wrapped_key", pin.WrappedKey.Span);
        json.WriteBase64String("hints", pin.Hints.Span);
        json.WriteNumber("created_ms", pin.CreatedAt.ToUnixTimeMilliseconds());
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ResumeState resume)
    {
        json.WriteStartObject();
        json.WriteString("key", resume.Key);
        json.WriteString("root", resume.Root.IsEmpty ? "" : resume.Root.ToString());
        json.WriteString("target", resume.TargetPath);
        json.WriteString("part", resume.PartPath);
        json.WriteNumber("pin", resume.Pin.Value);
        json.WriteEndObject();
    }

    private static Pin ReadPin(JsonElement json)
    {
        string[] paths = [.. json.GetProperty("paths").EnumerateArray().Select(path => path.GetString() ?? "")];
        return new Pin
        {
            Id = new PinId(json.GetProperty("id").GetInt64()),
            Kind = (PinKind)json.GetProperty("kind").GetInt32(),
            Root = ReadCid(json.GetProperty("root")),
            Name = json.GetProperty("name").GetString() ?? "",
            Path = paths.Length == 1 ? paths[0] : null,
            Paths = paths.Length > 1 ? paths : [],
            AllowedPeers = [.. json.GetProperty("allowed").EnumerateArray().Select(peer => PeerId.Parse(peer.GetString() ?? "", CultureInfo.InvariantCulture))],
            Bytes = json.GetProperty("bytes").GetInt64(),
            Blocks = json.GetProperty("blocks").GetInt64(),
            WrappedKey = json.GetProperty("wrapped_key").GetBytesFromBase64(),
            Hints = json.GetProperty("hints").GetBytesFromBase64(),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(json.GetProperty("created_ms").GetInt64()),
        };
    }

    private static ResumeState ReadResume(JsonElement json) => new(
        json.GetProperty("key").GetString() ?? "",
        ReadCid(json.GetProperty("root")),
        json.GetProperty("target").GetString() ?? "",
        json.GetProperty("part").GetString() ?? "",
        new PinId(json.GetProperty("pin").GetInt64()));

    private static Cid ReadCid(JsonElement json) => json.GetString() is { Length: > 0 } text ? Cid.Parse(text, CultureInfo.InvariantCulture) : default;
}
