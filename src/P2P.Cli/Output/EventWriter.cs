using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace P2P.Cli.Output;

/// <summary>Writes events to standard output, one line and one write each. Thread-safe: lines never interleave.</summary>
internal sealed class EventWriter(Stream output, TimeProvider time)
{
    private static readonly JsonSerializerOptions s_options = CreateOptions();

    private readonly Lock _gate = new(); // guards the order of writes

    /// <summary>Writes one line.</summary>
    /// <exception cref="ClosedPipeException">The reader has gone.</exception>
    public void Write(JsonEvent line)
    {
        lock (_gate)
        {
            DateTime now = time.GetUtcNow().UtcDateTime;
            line.At = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(line, s_options.GetTypeInfo(line.GetType()));
            Array.Resize(ref json, json.Length + 1);
            json[^1] = (byte)'\n';
            output.Write(json);
            output.Flush();
        }
    }

    // Text stays readable UTF-8; what could disturb a terminal stays escaped as \uXXXX.
    private static JsonSerializerOptions CreateOptions()
    {
        var readable = new TextEncoderSettings(UnicodeRanges.All);
        readable.ForbidCharacters('\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\ufeff');
        readable.ForbidRange(UnicodeRange.Create('\u202a', '\u202e'));
        readable.ForbidRange(UnicodeRange.Create('\u2066', '\u2069'));
        return new JsonSerializerOptions(EventJsonContext.Default.Options) { Encoder = JavaScriptEncoder.Create(readable), TypeInfoResolver = EventJsonContext.Default };
    }
}
