using System.Text.Json.Serialization;

namespace P2P.Cli.Control;

/// <summary>What a command says first when it attaches: what was typed, and all that the tool takes from the process it runs in.</summary>
/// <param name="P2p">The version of this protocol.</param>
/// <param name="Version">The tool's version, for messages.</param>
/// <param name="Args">The command line.</param>
/// <param name="Directory">The current directory.</param>
/// <param name="Environment">The variables that the tool looks at.</param>
/// <param name="OutputIsTerminal">Whether standard output is a terminal.</param>
/// <param name="ErrorIsTerminal">Whether standard error is one.</param>
/// <param name="Width">Its columns.</param>
internal sealed record AttachRequest(
    int P2p,
    string Version,
    IReadOnlyList<string> Args,
    string Directory,
    IReadOnlyDictionary<string, string> Environment,
    bool OutputIsTerminal,
    bool ErrorIsTerminal,
    int Width)
{
    /// <summary>The rows of that terminal; null: not known, as by a command of an earlier build, which does not say.</summary>
    public int? Height { get; init; }

    /// <summary>Whether it holds what it must.</summary>
    public bool IsValid => Args.All(arg => (string?)arg is not null) && Environment.Values.All(value => (string?)value is not null) && Path.IsPathFullyQualified(Directory);
}

/// <summary>What the owner answers: who it is, or why not.</summary>
/// <param name="P2p">The version of this protocol.</param>
/// <param name="Version">The tool's version, for messages.</param>
/// <param name="Process">The owner's process id.</param>
/// <param name="Command">What it was started as, for example <c>share</c>.</param>
/// <param name="Network">The network its node is in.</param>
/// <param name="Listen">The addresses it was told to listen on.</param>
/// <param name="Peers">The peers it was told of.</param>
internal sealed record AttachAnswer(int P2p, string Version, int Process, string Command, string Network, IReadOnlyList<string> Listen, IReadOnlyList<string> Peers)
{
    /// <summary>Why it does not take the command; null when it does.</summary>
    public string? Refused { get; init; }

    /// <summary>The most that its node sends to others (bytes a second); null: no limit.</summary>
    public long? Up { get; init; }

    /// <summary>The most that it receives from others (bytes a second); null: no limit.</summary>
    public long? Down { get; init; }
}

/// <summary>A line of the attached command; one member is set.</summary>
internal sealed record AttachedLine
{
    /// <summary>Bytes of standard input, as many as were wanted or fewer.</summary>
    public byte[]? In { get; init; }

    /// <summary>Standard input has ended.</summary>
    public bool? End { get; init; }

    /// <summary>The user asks for the end (Ctrl-C).</summary>
    public bool? Stop { get; init; }

    /// <summary>The terminal has this many columns now.</summary>
    public int? Width { get; init; }

    /// <summary>And this many rows.</summary>
    public int? Height { get; init; }
}

/// <summary>A line of the owner, besides the events themselves, which pass as they are; one member is set.</summary>
internal sealed record OwnerLine
{
    /// <summary>Bytes for standard output.</summary>
    public byte[]? Out { get; init; }

    /// <summary>Bytes for standard error.</summary>
    public byte[]? Err { get; init; }

    /// <summary>So many bytes of standard input are wanted.</summary>
    public int? Want { get; init; }

    /// <summary>The command has ended with this code; the last line.</summary>
    public int? Exit { get; init; }

    /// <summary>The owner ends before the command has; the last line.</summary>
    public bool? Gone { get; init; }
}

/// <summary>Serializers made at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AttachRequest))]
[JsonSerializable(typeof(AttachAnswer))]
[JsonSerializable(typeof(AttachedLine))]
[JsonSerializable(typeof(OwnerLine))]
internal sealed partial class ControlJson : JsonSerializerContext;
